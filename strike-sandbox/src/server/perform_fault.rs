//! Plays a fault on a raw connection, after hyper has handed the connection over.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::stream::Stream;
use crate::faults::{MAX_FAULT_DURATION, SocketAction};

/// How long to wait, after the server has closed its side, for the client to close the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Performs the steps of a fault in order, then closes or resets the connection.
///
/// The steps end early if the client closes the connection, or after [`MAX_FAULT_DURATION`].
pub(super) async fn perform(mut stream: Stream, actions: Vec<SocketAction>) {
    let resets = actions.contains(&SocketAction::Reset);
    // Whether the steps ended early makes no difference: the connection ends now.
    let _ = timeout(MAX_FAULT_DURATION, run(&mut stream, actions)).await;
    if resets {
        stream.reset();
        return;
    }
    // Read what the client still sends: closing a socket with unread bytes resets it, and then the client may
    // lose the last bytes that were written.
    let _ = timeout(CLOSE_TIMEOUT, async {
        stream.shutdown().await?;
        read_to_end(&mut stream).await
    })
    .await;
}

async fn run(stream: &mut Stream, actions: Vec<SocketAction>) -> io::Result<()> {
    for action in actions {
        match action {
            SocketAction::Write(bytes) => write(stream, &bytes).await?,
            SocketAction::Drip(bytes, every) => {
                for byte in bytes {
                    write(stream, &[byte]).await?;
                    pause(stream, every).await?;
                }
            }
            SocketAction::Pause(time) => pause(stream, time).await?,
            SocketAction::Close | SocketAction::Reset => {}
        }
    }
    Ok(())
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Waits. Returns an error as soon as the client closes the connection.
async fn pause(stream: &mut Stream, time: Duration) -> io::Result<()> {
    match timeout(time, read_to_end(stream)).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(_) => Ok(()),
    }
}

/// Reads and discards everything until the client closes the connection.
async fn read_to_end(stream: &mut Stream) -> io::Result<()> {
    let mut discarded = [0; 1024];
    while stream.read(&mut discarded).await? > 0 {}
    Ok(())
}

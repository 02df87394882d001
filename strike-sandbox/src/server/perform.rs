//! Performs the acts of a broken exchange on a connection that hyper has let go of.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::stream::Stream;
use crate::faults::{Act, LONGEST};

/// How long a client is waited for that was told that the connection is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// Performs the acts, the last of which ends the connection, or as many as the client stays for.
pub(super) async fn perform(mut stream: Stream, acts: Vec<Act>) {
    let resets = acts.contains(&Act::Reset);
    // That it took too long, or that the client left, ends it as well as the last act would have.
    let _ = timeout(LONGEST, play(&mut stream, acts)).await;
    if resets {
        stream.reset();
        return;
    }
    // Closed on bytes that nobody read, a connection is reset, and what was written last may be lost.
    let _ = timeout(FAREWELL, async {
        stream.shutdown().await?;
        until_it_leaves(&mut stream).await
    })
    .await;
}

async fn play(stream: &mut Stream, acts: Vec<Act>) -> io::Result<()> {
    for act in acts {
        match act {
            Act::Write(bytes) => write(stream, &bytes).await?,
            Act::Drip(bytes, every) => {
                for byte in bytes {
                    write(stream, &[byte]).await?;
                    rest(stream, every).await?;
                }
            }
            Act::Pause(time) => rest(stream, time).await?,
            Act::Close | Act::Reset => {}
        }
    }
    Ok(())
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Lets time pass while the client is there.
async fn rest(stream: &mut Stream, time: Duration) -> io::Result<()> {
    match timeout(time, until_it_leaves(stream)).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(_) => Ok(()),
    }
}

/// Reads, and forgets what it reads, to the end.
async fn until_it_leaves(stream: &mut Stream) -> io::Result<()> {
    let mut heard = [0; 1024];
    while stream.read(&mut heard).await? > 0 {}
    Ok(())
}

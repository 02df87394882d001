//! `Wake`: ends a wait early, from another task or thread.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::task::AtomicWaker;

/// Ends the wait of a task early. Clones share their state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wake(Arc<(AtomicBool, AtomicWaker)>);

impl Wake {
    /// Ends the wait of one task. If none is waiting, ends the next wait.
    pub(crate) fn wake(&self) {
        let (woken, waker) = &*self.0;
        woken.store(true, Ordering::SeqCst);
        waker.wake();
    }

    /// Waits until `wait` ends or [`wake`](Self::wake) is called.
    pub(crate) async fn or(&self, wait: impl Future<Output = ()>) {
        let mut wait = pin!(wait);
        std::future::poll_fn(|context| {
            let (woken, waker) = &*self.0;
            waker.register(context.waker());
            if woken.swap(false, Ordering::SeqCst) { Poll::Ready(()) } else { wait.as_mut().poll(context) }
        })
        .await;
    }
}

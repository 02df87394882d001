//! The state that all machines of a client share: endpoint, retry policy and random seed.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::machine::RetryPolicy;
use crate::machine::jitter::Jitter;
use crate::protocol::Endpoint;

/// The endpoint, the retry policy, and the seed of the random numbers for jitter.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) endpoint: Endpoint,
    pub(crate) policy: RetryPolicy,
    seed: u64,
    forks: AtomicU64,
}

impl Context {
    pub(crate) const fn new(endpoint: Endpoint, policy: RetryPolicy, seed: u64) -> Self {
        Self { endpoint, policy, seed, forks: AtomicU64::new(seed) }
    }

    /// Returns a context for another machine, with the same endpoint and policy and its own seed.
    pub(crate) fn fork(&self) -> Self {
        self.fork_with(self.policy)
    }

    /// Returns a context for another machine, with its own seed and this retry policy.
    pub(crate) fn fork_with(&self, policy: RetryPolicy) -> Self {
        // An odd increment visits all 2^64 values before one repeats. The generator then spreads
        // them.
        let state = self.forks.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        Self::new(self.endpoint.clone(), policy, Jitter::new(state).number())
    }

    /// Returns the random numbers of this machine. The same seed gives the same numbers.
    pub(crate) const fn jitter(&self) -> Jitter {
        Jitter::new(self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::Context;
    use crate::machine::RetryPolicy;
    use crate::protocol::{ApiKey, Endpoint};
    use crate::values::Network;

    fn first_numbers(seed: u64) -> [u64; 3] {
        let key = ApiKey::new("sk_demo").unwrap();
        let endpoint = Endpoint::new("http://127.0.0.1:1/", key, Network::Testnet).unwrap();
        let context = Context::new(endpoint, RetryPolicy::default(), seed);
        [(); 3].map(|()| context.fork().jitter().number())
    }

    #[test]
    fn forks_have_different_seeds_and_the_same_seed_gives_the_same_forks() {
        let [a, b, c] = first_numbers(1);
        assert!(a != b && b != c && c != a);
        assert_eq!(first_numbers(1), [a, b, c]);
        assert_ne!(first_numbers(2), [a, b, c]);
    }
}

//! What a create-once does after each result: of a create, a search, or a read.

use std::ops::DerefMut;

use super::accept::FoundBy;
use super::key_search::{MAX_PAGES, SearchDepth};
use super::machine::{CreateOnce, Next, SEARCH_DELAY, SearchStage, State};
use super::outcome::CreateOutcome;
use super::search_result::{Gap, SearchResult};
use crate::errors::{Advice, Error, ErrorKind};
use crate::machine::OrderRecord;
use crate::machine::order_memory::Known;
use crate::machine::pause::Pause;
use crate::values::{Charge, Now, PaidCharge, UnixMillis};

impl<G: DerefMut<Target = OrderRecord>> CreateOnce<G> {
    /// Takes the result of a create.
    pub(super) fn created(&mut self, result: Result<Charge, Error>, now: Now) -> Result<Next, Error> {
        match result {
            Ok(charge) if self.unknown_outcome.is_none() => {
                self.record.0 =
                    Some(Known::Created { attempt: self.attempt, id: charge.id().clone(), since: now });
                Ok(Next::Done(match PaidCharge::new(charge) {
                    Ok(paid) => CreateOutcome::Paid(paid),
                    Err(charge) => CreateOutcome::Payable(charge),
                }))
            }
            // The first create may have succeeded, too. Search the list for both charges.
            Ok(_) => Ok(Next::State(search_later(SearchStage::AfterSecondCreate, now))),
            Err(error) if *error.kind() == ErrorKind::OutcomeUnknown => {
                self.unknown_outcome.get_or_insert(error);
                Ok(Next::State(if self.is_second_create {
                    search_later(SearchStage::AfterSecondCreate, now)
                } else {
                    self.search(SearchStage::AfterCreate)
                }))
            }
            Err(error) => Err(match self.unknown_outcome.take() {
                // The second create was rejected, but the first may have succeeded.
                Some(unknown) => unknown.followed_by(error),
                None => {
                    if !matches!(error.kind(), ErrorKind::Mismatch(_)) {
                        self.record.0 = None;
                    }
                    error
                }
            }),
        }
    }

    /// Takes the result of a search.
    pub(super) fn searched(
        &mut self,
        result: Result<SearchResult, Error>,
        stage: SearchStage,
        now: Now,
    ) -> Result<Next, Error> {
        let asked = self.asked("look for it in the list");
        let found = match result {
            Ok(found) => found,
            Err(error) if stage == SearchStage::BeforeCreate => return Err(error.with_operation(asked)),
            Err(error) => return Err(self.outcome_unknown(Some(error.with_operation(asked)))),
        };
        if let Some((attempt, charge)) = found.charge
            && (charge.is_paid() || !found.is_gap_of_order)
        {
            self.attempt = self.attempt.max(found.last_attempt);
            return self.found(charge, attempt, FoundBy::Search, found.server_time, now);
        }
        if let Some(gap) = found.gap {
            // The search may have missed the charge, so a create could be a second one.
            let error = self.gap_error(gap);
            return Err(match stage {
                SearchStage::BeforeCreate if *error.kind() == ErrorKind::Incomplete => {
                    error.with_advice(Advice::SetSince)
                }
                SearchStage::BeforeCreate => error,
                _ => self.outcome_unknown(Some(error)),
            });
        }
        match stage {
            SearchStage::BeforeCreate => {
                self.depth = SearchDepth::NewestBefore(found.newest);
                Ok(Next::State(self.create(now)))
            }
            SearchStage::AfterCreate => Ok(Next::State(search_later(SearchStage::AfterDelay, now))),
            SearchStage::AfterDelay if self.options.repost => {
                self.unknown_outcome.get_or_insert_with(|| not_in_list(asked));
                self.is_second_create = true;
                Ok(Next::State(self.create(now)))
            }
            SearchStage::AfterDelay | SearchStage::AfterSecondCreate => Err(self.outcome_unknown(None)),
        }
    }

    /// Takes the result of a read of the order's charge.
    pub(super) fn was_read(
        &mut self,
        result: Result<Charge, Error>,
        attempt: u8,
        date: Option<UnixMillis>,
        now: Now,
    ) -> Result<Next, Error> {
        match result {
            Ok(charge) => self.found(charge, attempt, FoundBy::Read, date, now),
            // The server does not know the charge (yet). Search for it, and block another create
            // for a while.
            Err(error) if *error.kind() == ErrorKind::NotFound && attempt >= self.attempt => {
                self.attempt = attempt;
                self.record.0 =
                    Some(Known::CreateSent { attempt, sent_at: now.monotonic, newest_before: None });
                self.unknown_outcome.get_or_insert(error.into_unknown());
                Ok(Next::State(self.search(SearchStage::AfterCreate)))
            }
            Err(error) => {
                let asked = self.asked("read its charge");
                Err(error.with_operation(asked).into_unknown())
            }
        }
    }

    /// Returns the error for a search that may have missed the charge.
    fn gap_error(&self, gap: Gap) -> Error {
        let list = match gap {
            Gap::UnreadableRow(row) => {
                let asked = self.asked(&format!("look for it in the list, {}", row.name()));
                return row.into_error().with_operation(asked);
            }
            Gap::ListGrowsTooFast => "that grows faster than it is read".to_owned(),
            Gap::ListTooLong => format!("of more than {MAX_PAGES} pages"),
        };
        Error::new(self.asked(&format!("look for it in a list {list}")), ErrorKind::Incomplete)
    }

    /// Returns the final error if it is still unknown whether the charge exists.
    fn outcome_unknown(&mut self, cause: Option<Error>) -> Error {
        match (self.unknown_outcome.take(), cause) {
            (Some(unknown), _) => unknown,
            (None, Some(cause)) => cause.into_unknown(),
            (None, None) => not_in_list(self.asked("look for it in the list")),
        }
    }
}

fn search_later(stage: SearchStage, now: Now) -> State {
    State::Waiting(Pause::new(SEARCH_DELAY, now), stage)
}

/// The outcome of an earlier create is unknown, and the list does not show its charge.
fn not_in_list(asked: String) -> Error {
    Error::new(asked, ErrorKind::OutcomeUnknown)
}

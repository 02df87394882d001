//! The plan of faults: shown with its counts, added to, cleared.

use serde::Serialize;

use super::{Asked, body};
use crate::answer::Refusal;
use crate::faults::{Plan, RuleStats};
use crate::service::Service;

/// The most rules that a plan grows to over HTTP: whoever adds more has forgotten to clear it.
const MOST_RULES: usize = 1000;

pub(super) fn show(service: &mut Service, _: &Asked<'_>) -> Result<String, Refusal> {
    #[derive(Serialize)]
    struct Standing<'a> {
        faults: &'a [RuleStats],
    }
    let json = serde_json::to_string_pretty(&Standing { faults: service.faults().rules() });
    // Texts and numbers: nothing that JSON cannot hold.
    Ok(json.unwrap_or_default())
}

pub(super) fn add(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    let text = std::str::from_utf8(asked.request.body())
        .map_err(|_| Refusal::bad_request("the plan is not UTF-8"))?;
    let plan = Plan::from_json(text).map_err(|error| Refusal::bad_request(error.to_string()))?;
    if service.faults().rules().len() + plan.rules().len() > MOST_RULES {
        let sentence = format!("a plan has at most {MOST_RULES} rules: DELETE it first");
        return Err(Refusal::bad_request(sentence));
    }
    service.faults_mut().add(plan);
    show(service, asked)
}

pub(super) fn clear(service: &mut Service, asked: &Asked<'_>) -> Result<String, Refusal> {
    body::nothing(asked.request.body())?;
    service.faults_mut().clear();
    show(service, asked)
}

//! Controls for planned faults: show the rules with their counters, add rules, clear the plan.

use serde::Serialize;

use super::{ControlRequest, body};
use crate::faults::{Plan, RuleStats};
use crate::response::ErrorResponse;
use crate::service::Service;

/// The most rules that requests can add to a plan. A larger plan suggests that a test does not
/// clear it.
const MAX_RULES: usize = 1000;

pub(super) fn show(service: &mut Service, _: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    #[derive(Serialize)]
    struct FaultList<'a> {
        faults: &'a [RuleStats],
    }
    let json = serde_json::to_string_pretty(&FaultList { faults: service.faults().rules() });
    // Rules contain only strings and numbers, so serializing them cannot fail.
    Ok(json.unwrap_or_default())
}

pub(super) fn add(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    let text = std::str::from_utf8(request.http.body())
        .map_err(|_| ErrorResponse::bad_request("the plan is not UTF-8"))?;
    let plan = Plan::from_json(text).map_err(|error| ErrorResponse::bad_request(error.to_string()))?;
    if service.faults().rules().len() + plan.rules().len() > MAX_RULES {
        let message = format!("a plan has at most {MAX_RULES} rules; DELETE it first");
        return Err(ErrorResponse::bad_request(message));
    }
    service.faults_mut().add(plan);
    show(service, request)
}

pub(super) fn clear(service: &mut Service, request: &ControlRequest<'_>) -> Result<String, ErrorResponse> {
    body::expect_empty(request.http.body())?;
    service.faults_mut().clear();
    show(service, request)
}

//! The Strike protocol: the endpoint, the operations, and the JSON of the responses.

mod api_key;
mod base_url;
mod charge_json;
mod endpoint;
mod http_date;
mod number;
mod operations;
mod page;
mod response;
pub(crate) mod server_clock;

pub use self::api_key::ApiKey;
pub use self::endpoint::{Endpoint, EndpointBuilder};
pub use self::operations::{Create, Get, List, Operation, RetrySafety};
pub use self::page::{Page, Row, UnreadableRow};

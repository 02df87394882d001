//! The Strike protocol: the endpoint, the operations, and the JSON of the responses.

mod api_key;
mod base_url;
mod charge_json;
mod dialects;
mod endpoint;
mod endpoint_builder;
mod http_date;
mod json;
mod number;
mod operations;
mod page;
mod password;
mod plain_charge;
mod plain_json;
mod response;
mod scan;
mod secret;
pub(crate) mod server_clock;
mod webhook_secret;

pub use self::api_key::ApiKey;
pub(crate) use self::dialects::FindBy;
pub use self::endpoint::Endpoint;
pub use self::endpoint_builder::EndpointBuilder;
pub use self::operations::{Create, Get, List, Operation, RetrySafety};
pub(crate) use self::operations::{Find, Found, Probe, ScanPage};
pub use self::page::{Page, Row, UnreadableRow};
pub use self::password::Password;
pub(crate) use self::scan::Scan;
pub use self::webhook_secret::WebhookSecret;

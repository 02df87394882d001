//! The routes of the shop.

use std::convert::Infallible;
use std::fmt::Display;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::sse::{self, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use futures_util::{Stream, StreamExt, stream};
use maud::Markup;
use serde::Deserialize;
use strike_async::webhook::{self, InvalidWebhook};
use strike_async::{Expectation, NewCharge, UnixMillis};
use strike_orders::{Desk, Error, Follow, Order, OrderFilter, OrderState};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::books::Books;
use crate::guard::{self, AdminPassword};
use crate::pages::{self, Checkout, Invoice};

/// A line of the menu.
pub(crate) struct Coffee {
    /// Its name in the form.
    pub(crate) id: &'static str,
    /// Its name on the menu and in the invoice.
    pub(crate) name: &'static str,
    pub(crate) satoshi: u64,
}

const MENU: [Coffee; 4] = [
    Coffee { id: "espresso", name: "Espresso", satoshi: 2500 },
    Coffee { id: "flat-white", name: "Flat white", satoshi: 4200 },
    Coffee { id: "filter", name: "Filter coffee", satoshi: 3100 },
    Coffee { id: "tea", name: "Pot of tea", satoshi: 3600 },
];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) desk: Desk,
    pub(crate) books: Books,
    /// Without a password there is no admin page.
    pub(crate) admin_password: Option<AdminPassword>,
    pub(crate) invoice_seconds: u32,
    /// The URL of the sandbox, if no money moves.
    pub(crate) sandbox_url: Option<String>,
    /// Becomes true when the shop stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

pub(crate) fn router(shop: Shop) -> Router {
    let forms = Router::new()
        .route("/orders", post(place))
        .route("/orders/{name}/renew", post(renew))
        .layer(middleware::from_fn(guard::same_origin));
    Router::new()
        .route("/", get(menu))
        .route("/orders/{name}", get(checkout))
        .route("/orders/{name}/events", get(events))
        .route("/admin", get(admin))
        .route("/health", get(health))
        .merge(forms)
        .route("/webhook", post(webhook).layer(DefaultBodyLimit::max(webhook::MAX_BODY)))
        .route("/style.css", get(|| file("text/css", include_str!("../assets/style.css"))))
        .route("/checkout.js", get(|| file("text/javascript", include_str!("../assets/checkout.js"))))
        .route("/icon.svg", get(|| file("image/svg+xml", include_str!("../assets/icon.svg"))))
        .fallback(async || (StatusCode::NOT_FOUND, pages::problem("There is no such page.", None)))
        .layer(middleware::map_response(guard::add_headers))
        .with_state(shop)
}

async fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "max-age=600")], text)
}

/// Shows the menu. Its form contains the name of the order that it makes: a double click, a reload
/// and a second tab send the same name, and so make one order.
async fn menu() -> Result<Markup, Problem> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(Problem::internal)?;
    Ok(pages::menu(&MENU, &HEXLOWER.encode(&name)))
}

#[derive(Deserialize)]
struct OrderForm {
    order: String,
    coffee: String,
}

async fn place(State(shop): State<Shop>, Form(form): Form<OrderForm>) -> Result<Redirect, Problem> {
    let coffee = MENU.iter().find(|coffee| coffee.id == form.coffee);
    let coffee = coffee.ok_or(Problem::new(StatusCode::BAD_REQUEST, "This is not on the menu."))?;
    let name = order_name(form.order)?;
    let charge = NewCharge::satoshis(coffee.satoshi, coffee.name).expiry_sec(shop.invoice_seconds);
    let path = format!("/orders/{name}");
    match shop.desk.place(&name, charge).await {
        Ok(_) => Ok(Redirect::to(&path)),
        Err(Error::DifferentOrder { .. }) => {
            let text = "You have already ordered something else with this menu.";
            Err(Problem { order: Some(path), ..Problem::new(StatusCode::CONFLICT, text) })
        }
        Err(error) => Err(Problem::of(error)),
    }
}

/// Makes a new invoice for an order whose invoice has expired. If there is a valid invoice already,
/// the order keeps it, so a double click is harmless.
async fn renew(State(shop): State<Shop>, Path(name): Path<String>) -> Result<Redirect, Problem> {
    let order = find(&shop.desk, &name).await?;
    match shop.desk.renew(&name, order.new_charge().clone()).await {
        // The old invoice was paid late: the page will say so.
        Ok(_) | Err(Error::AlreadyPaid { .. }) => Ok(Redirect::to(&format!("/orders/{name}"))),
        Err(error) => Err(Problem::of(error)),
    }
}

async fn checkout(State(shop): State<Shop>, Path(name): Path<String>) -> Result<Markup, Problem> {
    let order = find(&shop.desk, &name).await?;
    Ok(pages::checkout(&shop.checkout(&order)?))
}

/// Sends the order's part of the checkout page now, and whenever the order changes.
async fn events(
    State(shop): State<Shop>,
    Path(name): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    find(&shop.desk, &name).await?;
    let mut stopping = shop.stopping.clone();
    let follow = shop.desk.follow(&name);
    let updates = stream::unfold((shop, follow, None), async |(shop, mut follow, last)| {
        // After an error the stream ends, and the browser connects again.
        let order = next(&mut follow, last).await?;
        let part = pages::order(&shop.checkout(&order).ok()?).into_string();
        Some((Ok(sse::Event::default().data(part)), (shop, follow, Some(order))))
    });
    let updates = updates.take_until(async move { stopping.wait_for(|stop| *stop).await.map(drop) });
    Ok(Sse::new(updates).keep_alive(sse::KeepAlive::default()))
}

/// Returns the order when it has changed, or when its invoice expires. The desk calls it expired
/// later, after a time of grace.
async fn next(follow: &mut Follow, last: Option<Order>) -> Option<Order> {
    match last {
        Some(order) if is_payable(&order) => match timeout(left(&order), follow.next()).await {
            Ok(order) => order.ok(),
            Err(_) => Some(order),
        },
        _ => follow.next().await.ok(),
    }
}

fn is_payable(order: &Order) -> bool {
    order.state() == OrderState::Pending && !left(order).is_zero()
}

/// Returns how long the invoice can be paid.
fn left(order: &Order) -> Duration {
    order.expires_at().saturating_since(now())
}

/// Passes a webhook on to the desk, as a hint. The desk reads the charge from the server.
async fn webhook(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match shop.desk.client().endpoint().read_webhook(&headers, &body) {
        Ok(notification) => match shop.desk.hint(&notification).await {
            Ok(()) => StatusCode::OK,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        },
        Err(InvalidWebhook::BadSignature) => StatusCode::UNAUTHORIZED,
        Err(InvalidWebhook::NoSecret) => StatusCode::INTERNAL_SERVER_ERROR,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// For a load balancer or a monitor.
async fn health(State(shop): State<Shop>) -> StatusCode {
    match shop.desk.health().await {
        Ok(health) if health.is_healthy() => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn admin(State(shop): State<Shop>, headers: HeaderMap) -> Result<Response, Problem> {
    let password = shop.admin_password.ok_or(Problem::not_found())?;
    if !password.is_in(&headers) {
        return Ok(AdminPassword::ask());
    }
    let now = now();
    let days = shop.desk.totals(now.saturating_sub(6 * DAY), now).await.map_err(Problem::of)?;
    let orders = shop.desk.orders(&OrderFilter::all().page_size(50)).await.map_err(Problem::of)?;
    let sold = shop.books.sold().await.map_err(Problem::internal)?;
    let refunds_due = shop.books.refunds_due().await.map_err(Problem::internal)?;
    Ok(pages::admin(&days, &sold, &refunds_due, &orders).into_response())
}

impl Shop {
    /// Returns what the checkout page shows of an order.
    fn checkout(&self, order: &Order) -> Result<Checkout, Problem> {
        let invoice = is_payable(order).then(|| self.invoice(order)).transpose()?;
        Ok(Checkout {
            name: order.name().to_owned(),
            coffee: order.new_charge().description().to_owned(),
            satoshi: order.new_charge().amount().get(),
            state: order.state(),
            attempt: order.attempt(),
            invoice,
        })
    }

    fn invoice(&self, order: &Order) -> Result<Invoice, Problem> {
        let client = self.desk.client();
        let expected = Expectation::of(order.new_charge(), client.endpoint().network());
        let checked = client.check(order.charge(), &expected).map_err(Problem::internal)?;
        let code = checked.qr_code().map_err(Problem::internal)?;
        let charge = order.charge().id();
        let pay_at = self.sandbox_url.as_ref();
        let pay_at =
            pay_at.map(|url| (format!("{url}/#{charge}"), format!("{url}/sandbox/charges/{charge}/pay")));
        Ok(Invoice { checked, code, left: left(order), pay_at })
    }
}

/// Returns an order by its name, which only its buyer can know.
async fn find(desk: &Desk, name: &str) -> Result<Order, Problem> {
    desk.order(name).await.map_err(Problem::of)?.ok_or(Problem::not_found())
}

/// Accepts only names as the menu makes them, so that nobody places orders with a name that is
/// easy to guess.
fn order_name(name: String) -> Result<String, Problem> {
    let is_hex = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if name.len() == 32 && is_hex {
        Ok(name)
    } else {
        Err(Problem::new(StatusCode::BAD_REQUEST, "This form is not from our menu."))
    }
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis::from_millis(since.as_millis().try_into().unwrap_or(u64::MAX))
}

/// A page that says what went wrong.
pub(crate) struct Problem {
    status: StatusCode,
    text: &'static str,
    /// The path of an order to go to.
    order: Option<String>,
}

impl Problem {
    const fn new(status: StatusCode, text: &'static str) -> Self {
        Self { status, text, order: None }
    }

    const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such page.")
    }

    fn of(error: Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::not_found(),
            error => Self::internal(error),
        }
    }

    /// Prints an error for the operator. The visitor is not told details.
    #[allow(clippy::print_stderr, reason = "the log of this example")]
    fn internal(error: impl Display) -> Self {
        eprintln!("error: {error}");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Something does not work here right now. Reload this page in a minute. You get the same order.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, pages::problem(self.text, self.order.as_deref())).into_response()
    }
}

//! The pages of the shop. `html!` escapes all text.

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use strike_async::{CheckedInvoice, QrCode, UnixMillis};
use strike_orders::{DayTotal, Order, OrderState};

use crate::books::{RefundDue, Sold};
use crate::shop::Coffee;

/// What the checkout page shows of an order.
pub(crate) struct Checkout {
    pub(crate) name: String,
    pub(crate) coffee: String,
    pub(crate) satoshi: u64,
    pub(crate) state: OrderState,
    pub(crate) attempt: u32,
    /// The invoice, if it can be paid.
    pub(crate) invoice: Option<Invoice>,
}

/// An invoice that can be paid.
pub(crate) struct Invoice {
    pub(crate) checked: CheckedInvoice,
    pub(crate) code: QrCode,
    /// How long it can be paid.
    pub(crate) left: Duration,
    /// Where to pay it in the sandbox: a page, and a URL to post to.
    pub(crate) pay_at: Option<(String, String)>,
}

fn page(title: &str, head: Markup, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Coffee shop" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
                (head)
            }
            body {
                header { a href="/" { "Coffee shop" } }
                main { (main) }
            }
        }
    }
}

pub(crate) fn menu(coffees: &[Coffee], order: &str) -> Markup {
    let main = html! {
        h1 { "Menu" }
        p { "Choose a drink. You pay with a Lightning wallet." }
        form method="post" action="/orders" {
            input type="hidden" name="order" value=(order);
            ul .menu {
                @for coffee in coffees {
                    li {
                        button name="coffee" value=(coffee.id) {
                            span { (coffee.name) } " " span .price { (satoshi(coffee.satoshi)) }
                        }
                    }
                }
            }
        }
    };
    page("Menu", html! {}, main)
}

pub(crate) fn checkout(checkout: &Checkout) -> Markup {
    let head = html! {
        script src="/checkout.js" defer {}
        // Without scripts, the page reloads itself while a payment can arrive.
        @if checkout.state == OrderState::Pending {
            noscript { meta http-equiv="refresh" content="5"; }
        }
    };
    let main = html! {
        // Screen readers announce changes of this text. It must not be replaced, as the order is.
        p #status .(class(checkout)) role="status" { (status(checkout)) }
        (order(checkout))
        p { a href="/" { "Back to the menu" } }
    };
    page(&checkout.coffee, head, main)
}

/// Returns the part of the checkout page that changes. The server sends it again when it has
/// changed: see `checkout.js`.
pub(crate) fn order(checkout: &Checkout) -> Markup {
    html! {
        section #order data-status=(status(checkout)) data-class=(class(checkout))
            data-version={ (class(checkout)) "-" (checkout.attempt) }
            data-events={ "/orders/" (checkout.name) "/events" } {
            h1 tabindex="-1" { (checkout.coffee) ": " span .price { (satoshi(checkout.satoshi)) } }
            @match (&checkout.invoice, checkout.state) {
                (Some(invoice), _) => { (payable(checkout, invoice)) }
                (None, OrderState::Paid) => { p { "Your drink is being made. Thank you!" } }
                (None, OrderState::Pending) => {
                    p { "If you have just paid, your payment is still on its way. This takes a few seconds." }
                }
                (None, _) => {
                    p { "You have not paid. A new invoice is for the same order, at the same price." }
                    form method="post" action={ "/orders/" (checkout.name) "/renew" } {
                        button .primary { "Get a new invoice" }
                    }
                }
            }
        }
    }
}

fn payable(checkout: &Checkout, invoice: &Invoice) -> Markup {
    let label = format!("QR code of the invoice: {}", satoshi(checkout.satoshi));
    let left = invoice.left.as_secs();
    html! {
        p { "Scan the code with your wallet, or open the wallet on this device." }
        div .code { (PreEscaped(invoice.code.to_svg(&label))) }
        p { a .primary href=(invoice.checked.to_uri()) { "Open in wallet" } }
        p { "Expires in " span #left role="timer" data-left=(invoice.left.as_millis()) { (left / 60) " min " (left % 60) " s" } }
        label for="request" { "Invoice" }
        textarea #request readonly rows="4" spellcheck="false" { (invoice.checked.payment_request()) }
        // Copying needs the script, which shows the button.
        p { button #copy type="button" hidden { "Copy invoice" } " " span #copied role="status" {} }
        @if let Some((page, post)) = &invoice.pay_at {
            aside {
                h2 { "No money moves here" }
                p {
                    "This shop runs on a sandbox. "
                    a href=(page) target="_blank" rel="noopener" { "Open the charge in the sandbox" }
                    " and press " em { "Pay" } ", or run:"
                }
                pre tabindex="0" { code { "curl -X POST " (post) } }
            }
        }
    }
}

fn status(checkout: &Checkout) -> &'static str {
    match (&checkout.invoice, checkout.state) {
        (Some(_), _) => "Waiting for your payment",
        (None, OrderState::Pending) => "The invoice has expired",
        (None, OrderState::Paid) => "Paid",
        (None, OrderState::Expired) => "The invoice has expired, and was not paid",
        (None, _) => "The payment failed",
    }
}

/// Returns a name for the state of the page.
fn class(checkout: &Checkout) -> &'static str {
    match (&checkout.invoice, checkout.state) {
        (Some(_), _) => "payable",
        (None, OrderState::Pending) => "closing",
        (None, OrderState::Paid) => "paid",
        (None, _) => "over",
    }
}

pub(crate) fn admin(days: &[DayTotal], sold: &[Sold], refunds_due: &[RefundDue], orders: &[Order]) -> Markup {
    let main = html! {
        h1 { "Admin" }
        (table("Paid orders per day (UTC)", ["Day", "Orders", "Amount"], days.iter().map(|day| {
            [html! { (minute(day.day_start).split(' ').next().unwrap_or_default()) }, html! { (day.orders) }, html! { (satoshi(day.satoshi.get())) }]
        })))
        (table("Coffees sold", ["Coffee", "Sold", "Amount"], sold.iter().map(|sold| {
            [html! { (sold.coffee) }, html! { (sold.count) }, html! { (satoshi(sold.satoshi)) }]
        })))
        (table("Refunds due: orders that were paid again", ["Order", "Charge", "Amount"], refunds_due.iter().map(|due| {
            [link(&due.order_name), html! { (due.charge_id) }, html! { (satoshi(due.satoshi)) }]
        })))
        (table("The newest 50 orders", ["Order", "State", "Coffee", "Amount", "Placed (UTC)"], orders.iter().map(|order| {
            let charge = order.new_charge();
            [
                link(order.name()),
                html! { (order.state().as_str()) },
                html! { (charge.description()) },
                html! { (satoshi(charge.amount().get())) },
                html! { (minute(order.placed_at())) },
            ]
        })))
    };
    page("Admin", html! {}, main)
}

fn link(order: &str) -> Markup {
    html! { a href={ "/orders/" (order) } { (order.get(..8).unwrap_or(order)) } }
}

/// Writes a time as `2026-11-26 08:35`.
fn minute(time: UnixMillis) -> String {
    time.to_string().replace('T', " ").chars().take(16).collect()
}

/// Returns a table that scrolls by itself if it is wider than the screen.
fn table<const N: usize>(
    caption: &str,
    columns: [&str; N],
    rows: impl ExactSizeIterator<Item = [Markup; N]>,
) -> Markup {
    html! {
        h2 { (caption) }
        @if rows.len() == 0 {
            p { "None." }
        } @else {
            div .table tabindex="0" role="region" aria-label=(caption) {
                table {
                    thead { tr { @for column in columns { th scope="col" { (column) } } } }
                    tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            }
        }
    }
}

/// Returns a page that says what went wrong.
pub(crate) fn problem(text: &str, order: Option<&str>) -> Markup {
    let main = html! {
        h1 { "Sorry" }
        p { (text) }
        @if let Some(path) = order {
            p { a href=(path) { "See your order" } }
        }
        p { a href="/" { "Back to the menu" } }
    };
    page("Sorry", html! {}, main)
}

/// Writes an amount with separators: `4,200 sat`.
fn satoshi(amount: impl ToString) -> String {
    let digits = amount.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " sat"
}

//! A coffee shop that takes Lightning payments. This file reads the settings, starts the shop and
//! stops it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program tells its operator what it does")]

mod books;
mod guard;
mod pages;
mod shop;

use std::env;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use strike_async::{Client, Endpoint, Schedule};
use strike_orders::Desk;
use strike_sandbox::{RunningSandbox, Sandbox, Webhook};
use tokio::net::TcpListener;
use tokio::signal;
use tokio::sync::watch;

use books::Books;
use guard::AdminPassword;
use shop::Shop;

/// How long an expired invoice is watched before its order counts as expired. A payment that was
/// sent in the last moment takes a few seconds.
const GRACE: Duration = Duration::from_secs(10);

/// How often an unpaid order is checked at least, because webhooks can get lost. The buyer waits at
/// the counter.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long requests may take after a signal to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let listen = setting("COFFEE_LISTEN", "127.0.0.1:8421");
    let database = setting("COFFEE_DATABASE", "sqlite://coffee.db");
    let invoice_seconds = setting("COFFEE_INVOICE_SECONDS", "600").parse();
    let invoice_seconds = invoice_seconds.map_err(|error| format!("COFFEE_INVOICE_SECONDS: {error}"))?;
    let admin_password =
        env::var("COFFEE_ADMIN_PASSWORD").ok().map(|text| AdminPassword::new(&text)).transpose()?;

    let listener =
        TcpListener::bind(&listen).await.map_err(|error| format!("COFFEE_LISTEN: {listen}: {error}"))?;
    let address = listener.local_addr()?;
    let (sandbox, endpoint) = host(address)?;
    let client = Client::new(endpoint)?;
    client.check_setup().await?;
    let schedule = Schedule::new(Duration::from_secs(1), 125, LONGEST_WAIT);
    let desk = Desk::builder(client).grace(GRACE).schedule(schedule).connect(&database).await?;
    let books = Books::open(&database).await?;

    let (stop, stopping) = watch::channel(false);
    let sandbox_url = sandbox.as_ref().map(|sandbox| format!("http://{}", sandbox.address()));
    println!("coffee shop: http://{address}/");
    let endpoint = desk.client().endpoint();
    match &sandbox_url {
        Some(url) => println!("no money moves: pay the orders at the sandbox, {url}/"),
        None => println!("payments: {} ({})", endpoint.base_url(), endpoint.network()),
    }
    match admin_password {
        Some(_) => println!("admin page: http://{address}/admin"),
        None => println!("admin page: off; to see it, set COFFEE_ADMIN_PASSWORD"),
    }
    let shop = Shop {
        desk: desk.clone(),
        books,
        admin_password,
        invoice_seconds,
        sandbox_url,
        stopping: stopping.clone(),
    };

    let mut stopped = stopping.clone();
    let server = axum::serve(listener, shop::router(shop)).with_graceful_shutdown(async move {
        // An error means that the sender is gone, which is also a reason to stop.
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    let work = async {
        tokio::try_join!(
            async { desk.run(books::record).await.map_err(Box::<dyn Error>::from) },
            async { server.await.map_err(Box::from) },
            async {
                stop_signal().await?;
                println!("stopping");
                desk.stop();
                stop.send_replace(true);
                Ok(())
            },
        )
    };
    tokio::select! {
        result = work => result.map(drop),
        () = too_late(stopping) => Err("some requests did not end in time; they were cut off".into()),
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Returns the server that receives the payments: the one in the variables `STRIKE_...`. Without
/// them, starts a sandbox, which keeps its charges in a file.
fn host(shop: SocketAddr) -> Result<(Option<RunningSandbox>, Endpoint), Box<dyn Error>> {
    let is_set = |name: &&str| env::var_os(name).is_some();
    if ["STRIKE_BACKEND", "STRIKE_BASE_URL", "STRIKE_API_KEY"].iter().any(is_set) {
        return Ok((None, Endpoint::from_variables(env::var_os)?));
    }
    let file = setting("COFFEE_SANDBOX", "coffee-sandbox.db");
    let webhook = Webhook::to(&format!("http://{shop}/webhook"))?;
    let sandbox = Sandbox::builder().webhook(webhook).data(&file).start();
    let sandbox = sandbox.map_err(|error| {
        format!("the sandbox in {file} does not start: {error}; to use another server, set STRIKE_BASE_URL")
    })?;
    let endpoint = sandbox.endpoint()?;
    Ok((Some(sandbox), endpoint))
}

/// Waits for Ctrl-C, or for the signal with which a supervisor stops a program.
async fn stop_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}

/// Waits until the shop has been stopping for [`STOP_TIMEOUT`].
async fn too_late(mut stopping: watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
    tokio::time::sleep(STOP_TIMEOUT).await;
}

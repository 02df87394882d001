//! Helpers to control a browser. Waits for conditions for up to a minute.

use std::io::Cursor;
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use strike_core::http::Method;
use url::{ParseError, Url};

use super::driver::Driver;

/// How long to wait for a condition.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often to look whether it is true.
const INTERVAL: Duration = Duration::from_millis(20);

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const CONTROL: &str = "\u{e009}";

pub(crate) struct Browser {
    client: Client,
    // Declared after the client, so that it is dropped last.
    _driver: Driver,
}

impl Browser {
    /// Opens a desktop browser. Returns `None` if there is no browser.
    pub(crate) async fn open() -> Option<Self> {
        Self::with(&["--window-size=1280,900"], json!({})).await
    }

    /// Opens a browser with the viewport of a small phone.
    pub(crate) async fn phone() -> Option<Self> {
        Self::viewport(360, 740, &[]).await
    }

    /// Opens a browser with a viewport of exactly this size.
    pub(crate) async fn viewport(width: u32, height: u32, arguments: &[&str]) -> Option<Self> {
        let metrics = json!({ "width": width, "height": height, "pixelRatio": 1.0 });
        Self::with(arguments, json!({ "mobileEmulation": { "deviceMetrics": metrics } })).await
    }

    pub(crate) async fn with(arguments: &[&str], mut options: Value) -> Option<Self> {
        let driver = Driver::start()?;
        // Chromium's own sandbox does not work as root. The tests load only pages from this machine.
        let always = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-pipe"];
        options["args"] = always.iter().chain(arguments).copied().collect();
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        // Keeps dialogs of a page open, so that tests can detect them.
        capabilities.insert("unhandledPromptBehavior".to_owned(), json!("ignore"));
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&driver.url()).await;
        Some(Self { client: client.expect("a session"), _driver: driver })
    }

    /// Opens a browser that runs no scripts of a page.
    pub(crate) async fn without_scripts() -> Option<Self> {
        Self::with(&[], json!({ "prefs": { "profile.managed_default_content_settings.javascript": 2 } }))
            .await
    }

    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    /// Opens the page, and waits until it is live.
    pub(crate) async fn go_live(&self, url: &str) {
        self.go(url).await;
        self.until("document.querySelector('#link').textContent === 'Live'").await;
    }

    /// Runs a script in the page and returns its result.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression is true in the page, also if another page is loaded meanwhile.
    pub(crate) async fn until(&self, condition: &str) {
        let script = format!("return Boolean({condition})");
        let start = Instant::now();
        loop {
            // While another page is loaded, a script can fail.
            let result = self.client.execute(&script, Vec::new()).await;
            if matches!(result, Ok(Value::Bool(true))) {
                return;
            }
            if start.elapsed() > DEADLINE {
                let shown = self.run("return document.body.innerText").await;
                panic!("{condition}: {result:?}; the page shows {shown}");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Waits until a visible element has this text.
    pub(crate) async fn until_text(&self, css: &str, text: &str) {
        let (css, text) = (Value::from(css), Value::from(text));
        let condition = format!(
            "[...document.querySelectorAll({css})].some((element) => element.checkVisibility() && element.innerText.trim() === {text})"
        );
        self.until(&condition).await;
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Clicks an element as a user does: it must be visible and not covered.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Presses keys in the focused element.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("a focused element");
        focused.send_keys(keys).await.expect("the keys are pressed");
    }

    /// Presses Tab until this element has the focus.
    pub(crate) async fn tab_to(&self, css: &str) {
        for _ in 0..20 {
            self.press(TAB).await;
            if self.has_focus(css).await {
                return;
            }
        }
        panic!("pressing Tab 20 times does not reach {css}");
    }

    pub(crate) async fn has_focus(&self, css: &str) -> bool {
        self.run(&format!("return document.activeElement.matches({})", Value::from(css))).await == true
    }

    pub(crate) async fn value(&self, css: &str) -> String {
        self.find(css).await.prop("value").await.expect("a response").expect("a value")
    }

    /// Fills in the form and submits it.
    pub(crate) async fn create(&self, amount: &str, description: &str) {
        self.write("#amount", amount).await;
        self.write("#description", description).await;
        self.click("#new button").await;
    }

    /// Returns the left and right edges of the visible elements, in pixels.
    pub(crate) async fn edges(&self, css: &str) -> Vec<(f64, f64)> {
        let css = Value::from(css);
        let script = format!(
            "return [...document.querySelectorAll({css})].filter((element) => element.checkVisibility())
                .map((element) => element.getBoundingClientRect()).map(({{ left, right }}) => [left, right])"
        );
        serde_json::from_value(self.run(&script).await).expect("pairs of numbers")
    }

    /// Takes a screenshot of the viewport, as a PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a screenshot")
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.expect("the page loads");
    }

    /// Returns the URL of the page.
    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.expect("a URL").to_string()
    }

    /// Opens a second tab, and switches to it.
    pub(crate) async fn open_tab(&self) {
        let tab = self.client.new_window(true).await.expect("a tab").handle;
        self.client.switch_to_window(tab).await.expect("the tab");
    }

    /// Switches to a tab, counted from 0.
    pub(crate) async fn switch_to(&self, tab: usize) {
        let tab = self.client.windows().await.expect("tabs").remove(tab);
        self.client.switch_to_window(tab).await.expect("the tab");
    }

    /// Returns what the browser has logged since the last call: errors of scripts, and violations of
    /// the content security policy.
    pub(crate) async fn log(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log).await.expect("a log");
        let entries = log.as_array().expect("entries").iter();
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) async fn has_dialog(&self) -> bool {
        self.client.get_alert_text().await.is_ok()
    }

    /// Takes a screenshot of an element and decodes the QR code in it.
    pub(crate) async fn scan(&self, css: &str) -> String {
        // Scroll first: the driver would scroll too, but crop the screenshot at the old position.
        self.run(&format!("document.querySelector('{css}').scrollIntoView({{ block: 'center' }})")).await;
        let png = self.find(css).await.screenshot().await.expect("a screenshot");
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a frame");
        let (width, samples) = (info.width as usize, info.color_type.samples());
        let grey = |x: usize, y: usize| pixels[(y * width + x) * samples];
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, info.height as usize, grey);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code in {css}");
        grids[0].decode().expect("a readable code").1
    }
}

/// A command of chromedriver that the standard does not have.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

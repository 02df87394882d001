//! A browser, in the words of a test. It waits for conditions, inside the page, and for half a minute at most.

use std::io::Cursor;

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::driver::Driver;

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const CONTROL: &str = "\u{e009}";

pub(crate) struct Browser {
    client: Client,
    // After the client, so that it is dropped last.
    _driver: Driver,
}

impl Browser {
    /// A browser with the window of a desk, or nothing where there is none.
    pub(crate) async fn open() -> Option<Self> {
        Self::with(&["--window-size=1280,900"], json!({})).await
    }

    /// A browser with the window of a small phone.
    pub(crate) async fn phone() -> Option<Self> {
        let emulation = json!({ "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 1.0 } });
        Self::with(&[], json!({ "mobileEmulation": emulation })).await
    }

    pub(crate) async fn with(arguments: &[&str], mut options: Value) -> Option<Self> {
        let driver = Driver::start()?;
        // Without a sandbox of its own, since it may run as root; it sees nothing but this machine's loopback.
        let always = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-pipe"];
        options["args"] = always.iter().chain(arguments).copied().collect();
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        // A dialog that a page opens stays, to be found.
        capabilities.insert("unhandledPromptBehavior".to_owned(), json!("ignore"));
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&driver.url()).await;
        Some(Self { client: client.expect("a session"), _driver: driver })
    }

    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("it answers");
    }

    /// Opens the page, and waits until it is live.
    pub(crate) async fn go_live(&self, url: &str) {
        self.go(url).await;
        self.until("document.querySelector('#link').textContent === 'Live'").await;
    }

    /// Runs a script in the page, and gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression holds in the page.
    pub(crate) async fn until(&self, condition: &str) {
        let script = format!(
            "const done = arguments[0];
             const look = () => {{ if ({condition}) done(); else setTimeout(look, 20); }};
             look();"
        );
        if let Err(error) = self.client.execute_async(&script, Vec::new()).await {
            let shown = self.run("return document.body.innerText").await;
            panic!("{condition}: {error}; the page shows {shown}");
        }
    }

    /// Waits until an element that is seen has this text.
    pub(crate) async fn until_text(&self, css: &str, text: &str) {
        let (css, text) = (Value::from(css), Value::from(text));
        let condition = format!(
            "[...document.querySelectorAll({css})].some((it) => it.checkVisibility() && it.innerText.trim() === {text})"
        );
        self.until(&condition).await;
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Clicks as a person does: on what is seen.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// Presses Tab until something has the focus.
    pub(crate) async fn tab_to(&self, css: &str) {
        for _ in 0..20 {
            self.press(TAB).await;
            if self.has_focus(css).await {
                return;
            }
        }
        panic!("twenty times Tab does not lead to {css}");
    }

    pub(crate) async fn has_focus(&self, css: &str) -> bool {
        self.run(&format!("return document.activeElement.matches({})", Value::from(css))).await == true
    }

    pub(crate) async fn value(&self, css: &str) -> String {
        self.find(css).await.prop("value").await.expect("it answers").expect("it has a value")
    }

    /// Fills in the form and sends it.
    pub(crate) async fn create(&self, amount: &str, description: &str) {
        self.write("#amount", amount).await;
        self.write("#description", description).await;
        self.click("#new button").await;
    }

    pub(crate) async fn has_dialog(&self) -> bool {
        self.client.get_alert_text().await.is_ok()
    }

    /// Reads the QR code in what an element looks like.
    pub(crate) async fn scan(&self, css: &str) -> String {
        // The driver would scroll to it as well, and then cut the picture where it was before.
        self.run(&format!("document.querySelector('{css}').scrollIntoView({{ block: 'center' }})")).await;
        let png = self.find(css).await.screenshot().await.expect("a picture");
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
        grids[0].decode().expect("a code that can be read").1
    }
}

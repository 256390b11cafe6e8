//! Chromium's side: the Chrome DevTools Protocol, <https://chromedevtools.github.io/devtools-protocol/>.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    connection::Connection,
    tab::{Network, Screen, Tab},
};
use crate::{
    Error, Result,
    lines::Lines,
    wait::{self, Look},
};

/// For commands that the browser answers by itself, without a page's script or network.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// How many packets wait where a network has a limited rate; further ones are lost.
const QUEUE_PACKETS: u32 = 64;

/// The line in the console of a page whose process died.
const CRASHED: &str = "[crashed]";

pub(super) fn connect(address: &str) -> Result<Connection> {
    Connection::open(address, translate)
}

/// One page, in a browser context of its own: what Chromium calls an incognito profile.
#[derive(Debug)]
pub(super) struct CdpTab {
    connection: Arc<Connection>,
    context: String,
    target: String,
    session: String,
    console: Lines,
}

impl CdpTab {
    pub(super) fn open(connection: &Arc<Connection>) -> Result<Self> {
        let browser = |method: &str, params: Value, key: &str| {
            let command = json!({ "method": method, "params": params });
            let result = connection.call(command, COMMAND_TIMEOUT)?;
            let garbled = || Error::Garbled {
                what: format!("{method}: {result}"),
            };
            result[key].as_str().map(str::to_owned).ok_or_else(garbled)
        };
        let context = browser("Target.createBrowserContext", json!({}), "browserContextId")?;
        // A window of its own: a page behind another one is not painted.
        let target =
            json!({ "url": "about:blank", "browserContextId": context, "newWindow": true });
        let target = browser("Target.createTarget", target, "targetId")?;
        let session = json!({ "targetId": target, "flatten": true });
        let session = browser("Target.attachToTarget", session, "sessionId")?;
        let console = connection.console(&session);
        let tab = Self {
            connection: connection.clone(),
            context,
            target,
            session,
            console,
        };
        for domain in ["Page", "Runtime", "Log", "Inspector", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(tab)
    }

    fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.connection
            .call(self.command(method, params), COMMAND_TIMEOUT)
    }

    fn command(&self, method: &str, params: Value) -> Value {
        json!({ "sessionId": self.session, "method": method, "params": params })
    }
}

impl Tab for CdpTab {
    fn go_to(&self, url: &str, timeout: Duration) -> Result {
        // The reply comes when the new document is there, though not yet loaded.
        let command = self.command("Page.navigate", json!({ "url": url }));
        let result = self.connection.call(command, timeout)?;
        if let Some(message) = result["errorText"].as_str() {
            let method = format!("Page.navigate to {url}");
            return Err(Error::Refused {
                method,
                message: message.to_owned(),
            });
        }
        wait::until(format_args!("{url} to load"), timeout, || {
            let state = self.eval("document.readyState", timeout)?;
            Ok(if state == "complete" {
                Look::Done(())
            } else {
                Look::NotYet(state)
            })
        })
    }

    fn eval(&self, expression: &str, timeout: Duration) -> Result<String> {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let command = self.command("Runtime.evaluate", params);
        let result = self.connection.call(command, timeout)?;
        if let Some(details) = result.get("exceptionDetails") {
            return Err(Error::Exception {
                message: exception_text(details),
            });
        }
        let garbled = || Error::Garbled {
            what: format!("the value {}", result["result"]),
        };
        result["result"]["value"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(garbled)
    }

    fn before_load(&self, script: &str) -> Result {
        let params = json!({ "source": script });
        self.call("Page.addScriptToEvaluateOnNewDocument", params)
            .map(drop)
    }

    fn screenshot(&self) -> Result<String> {
        let result = self.call("Page.captureScreenshot", json!({ "format": "png" }))?;
        let garbled = || Error::Garbled {
            what: "a screenshot without data".into(),
        };
        result["data"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(garbled)
    }

    fn close(&self) -> Result {
        self.connection.forget(&self.session);
        for (method, params) in [
            // The page's `pagehide` runs at the first, and would not at the second alone.
            ("Target.closeTarget", json!({ "targetId": self.target })),
            (
                "Target.disposeBrowserContext",
                json!({ "browserContextId": self.context }),
            ),
        ] {
            let command = json!({ "method": method, "params": params });
            self.connection.call(command, COMMAND_TIMEOUT)?;
        }
        Ok(())
    }

    fn console(&self) -> &Lines {
        &self.console
    }

    fn kill(&self) -> Result {
        // A dead process does not reply.
        self.connection
            .notify(self.command("Page.crash", json!({})))?;
        let crashed = |line: &str| line == CRASHED;
        self.console
            .wait_for("the page's process to die", COMMAND_TIMEOUT, crashed)
            .map(drop)
    }

    fn emulate_screen(&self, screen: Screen) -> Result {
        let Screen {
            width,
            height,
            dark,
            touch,
        } = screen;
        let scheme = if dark { "dark" } else { "light" };
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": Screen::SCALE, "mobile": touch,
        });
        self.call("Emulation.setDeviceMetricsOverride", screen)?;
        self.call(
            "Emulation.setTouchEmulationEnabled",
            json!({ "enabled": touch }),
        )?;
        self.call("Emulation.setEmulatedMedia", json!({ "features": scheme }))
            .map(drop)
    }

    fn emulate_network(&self, network: Network) -> Result {
        // Minus one rate and a queue of zero are without a limit.
        let (download, queue) = match network.download_rate {
            0 => (-1, 0),
            rate => (i64::from(rate), QUEUE_PACKETS),
        };
        let params = json!({
            "offline": network.offline,
            "latency": network.latency_ms,
            "packetLoss": network.loss_percent,
            "downloadThroughput": download,
            "uploadThroughput": -1,
            "packetQueueLength": queue,
        });
        self.call("Network.emulateNetworkConditions", params)
            .map(drop)
    }
}

/// The page's session and a line for its console.
fn translate(event: &Value) -> Option<(&str, String)> {
    let params = &event["params"];
    let line = match event["method"].as_str()? {
        "Runtime.consoleAPICalled" => {
            let words = params["args"].as_array()?.iter().map(argument_text);
            format!(
                "[{}] {}",
                text(&params["type"]),
                words.collect::<Vec<_>>().join(" ")
            )
        }
        "Runtime.exceptionThrown" => {
            format!("[error] {}", exception_text(&params["exceptionDetails"]))
        }
        "Log.entryAdded" => {
            let entry = &params["entry"];
            format!(
                "[{}] {} {}",
                text(&entry["level"]),
                text(&entry["text"]),
                text(&entry["url"])
            )
        }
        "Inspector.targetCrashed" => CRASHED.to_owned(),
        _ => return None,
    };
    Some((event["sessionId"].as_str()?, line))
}

/// A `Runtime.RemoteObject` as a person would read it.
fn argument_text(argument: &Value) -> String {
    match &argument["value"] {
        Value::String(value) => value.clone(),
        Value::Null => argument["description"]
            .as_str()
            .unwrap_or("undefined")
            .to_owned(),
        value => value.to_string(),
    }
}

/// A `Runtime.ExceptionDetails` as a person would read it; what was thrown need not be an `Error`.
fn exception_text(details: &Value) -> String {
    let exception = &details["exception"];
    match exception["description"].as_str() {
        Some(description) => description.to_owned(),
        None if exception.is_object() => argument_text(exception),
        None => text(&details["text"]).to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

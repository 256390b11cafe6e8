//! Firefox's side: WebDriver BiDi, <https://www.w3.org/TR/webdriver-bidi/>.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    connection::Connection,
    tab::{Screen, Tab},
};
use crate::{Error, Result, lines::Lines};

/// For commands that the browser answers by itself, without a page's script or network.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects, and begins the session that every other command needs.
pub(super) fn connect(address: &str) -> Result<Connection> {
    let connection = Connection::open(&format!("{address}/session"), translate)?;
    for (method, params) in [
        ("session.new", json!({ "capabilities": {} })),
        ("session.subscribe", json!({ "events": ["log.entryAdded"] })),
    ] {
        connection.call(
            json!({ "method": method, "params": params }),
            COMMAND_TIMEOUT,
        )?;
    }
    Ok(connection)
}

/// One page, in a user context of its own: what Firefox calls a container.
#[derive(Debug)]
pub(super) struct BidiTab {
    connection: Arc<Connection>,
    user: String,
    context: String,
    console: Lines,
}

impl BidiTab {
    pub(super) fn open(connection: &Arc<Connection>) -> Result<Self> {
        let browser = |method: &str, params: Value, key: &str| {
            let command = json!({ "method": method, "params": params });
            let result = connection.call(command, COMMAND_TIMEOUT)?;
            let garbled = || Error::Garbled {
                what: format!("{method}: {result}"),
            };
            result[key].as_str().map(str::to_owned).ok_or_else(garbled)
        };
        let user = browser("browser.createUserContext", json!({}), "userContext")?;
        // A window of its own: a page behind another one is slowed down.
        let context = json!({ "type": "window", "userContext": user });
        let context = browser("browsingContext.create", context, "context")?;
        let console = connection.console(&context);
        Ok(Self {
            connection: connection.clone(),
            user,
            context,
            console,
        })
    }

    fn call(&self, method: &str, params: Value, timeout: Duration) -> Result<Value> {
        self.connection
            .call(json!({ "method": method, "params": params }), timeout)
    }
}

impl Tab for BidiTab {
    fn go_to(&self, url: &str, timeout: Duration) -> Result {
        let params = json!({ "context": self.context, "url": url, "wait": "complete" });
        self.call("browsingContext.navigate", params, timeout)
            .map(drop)
    }

    fn eval(&self, expression: &str, timeout: Duration) -> Result<String> {
        let target = json!({ "context": self.context });
        let params = json!({ "expression": expression, "target": target, "awaitPromise": true });
        let result = self.call("script.evaluate", params, timeout)?;
        if let Some(details) = result.get("exceptionDetails") {
            let message = details["text"].as_str().unwrap_or_default().to_owned();
            return Err(Error::Exception { message });
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
        let function = format!("() => {{ {script}\n}}");
        let params = json!({ "functionDeclaration": function, "contexts": [self.context] });
        self.call("script.addPreloadScript", params, COMMAND_TIMEOUT)
            .map(drop)
    }

    fn screenshot(&self) -> Result<String> {
        let params = json!({ "context": self.context });
        let result = self.call("browsingContext.captureScreenshot", params, COMMAND_TIMEOUT)?;
        let garbled = || Error::Garbled {
            what: "a screenshot without data".into(),
        };
        result["data"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(garbled)
    }

    fn emulate_screen(&self, screen: Screen) -> Result {
        let Screen {
            width,
            height,
            dark,
            touch,
        } = screen;
        if dark || touch {
            return Err(Error::Unsupported {
                what: "emulate a dark screen or touch",
            });
        }
        let viewport = json!({ "width": width, "height": height });
        let params = json!({ "context": self.context, "viewport": viewport });
        self.call("browsingContext.setViewport", params, COMMAND_TIMEOUT)
            .map(drop)
    }

    fn close(&self) -> Result {
        self.connection.forget(&self.context);
        self.call(
            "browsingContext.close",
            json!({ "context": self.context }),
            COMMAND_TIMEOUT,
        )?;
        let user = json!({ "userContext": self.user });
        self.call("browser.removeUserContext", user, COMMAND_TIMEOUT)
            .map(drop)
    }

    fn console(&self) -> &Lines {
        &self.console
    }
}

/// The page's browsing context and a line for its console.
fn translate(event: &Value) -> Option<(&str, String)> {
    if event["method"] != "log.entryAdded" {
        return None;
    }
    let entry = &event["params"];
    let level = entry["level"].as_str()?;
    let text = entry["text"].as_str().unwrap_or_default();
    Some((
        entry["source"]["context"].as_str()?,
        format!("[{level}] {text}"),
    ))
}

//! Answers and times in HTTP's words. `Retry-After` is never sent.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

pub(super) fn is_json(value: &HeaderValue) -> bool {
    let kind = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

pub(super) fn text(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{words}\n"))));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The failure that kube-apiserver neither keeps nor tries again, and whose message it shows: a
/// `v1.Status` with code 403.
pub(super) fn failure(message: &str) -> Response<Full<Bytes>> {
    let status = serde_json::json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "Forbidden",
        "code": 403,
    });
    json(StatusCode::FORBIDDEN, status.to_string().into_bytes())
}

/// How long an answer may take: the setting, or a second less than the caller says he waits.
pub(super) fn budget(query: Option<&str>, setting: Duration) -> Duration {
    let asked = query
        .into_iter()
        .flat_map(|q| q.split('&'))
        .find_map(|pair| pair.strip_prefix("timeout="))
        .and_then(go_duration);
    asked.map_or(setting, |d| d.saturating_sub(Duration::from_secs(1)).min(setting))
}

/// A duration as Go writes it: `30s`, `1m30s`, `1.5s`, `500ms`.
fn go_duration(mut text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    while !text.is_empty() {
        let digits = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, rest) = text.split_at(digits);
        let unit = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        text = rest;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_the_lesser_of_setting_and_what_the_caller_waits() {
        let table: &[(Option<&str>, u64)] = &[
            (None, 8_000),
            (Some(""), 8_000),
            (Some("timeout=30s"), 8_000),
            (Some("timeout=5s"), 4_000),
            (Some("a=b&timeout=1m0s"), 8_000),
            (Some("timeout=2.5s"), 1_500),
            (Some("timeout=1s"), 0),
            (Some("timeout=500ms"), 0),
            (Some("timeout=0s"), 0),
            (Some("timeout=-5s"), 8_000),
            (Some("timeout=5"), 8_000),
            (Some("timeout=NaNs"), 8_000),
            (Some("timeout=99999999999999999999999h"), 8_000),
        ];
        for (query, millis) in table {
            let got = budget(*query, Duration::from_secs(8));
            assert_eq!(got, Duration::from_millis(*millis), "{query:?}");
        }
    }
}

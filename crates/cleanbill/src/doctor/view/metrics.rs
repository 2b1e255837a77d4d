//! The API server's metrics: what of them tells whether the webhook is asked.

/// One series: its name, its labels and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// The series that matter here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    series: Vec<Series>,
}

/// The names that are kept; there are thousands of others.
const KEPT: [&str; 3] = [
    "apiserver_admission_controller_admission_duration_seconds_count",
    "rest_client_requests_total",
    "apiserver_webhooks_x509_missing_san_total",
];

impl Metrics {
    /// Reads the text form; `None`: it is none of an API server.
    pub fn of(text: &str) -> Option<Self> {
        let series: Vec<Series> = text.lines().filter_map(series).collect();
        let is = text.contains("\napiserver_") || text.starts_with("apiserver_");
        (is || !series.is_empty()).then_some(Self { series })
    }

    /// How often a plug-in was asked about a new or changed object; `None`: there is no such series.
    pub fn reviews(&self, plugin: Option<&str>) -> Option<f64> {
        let of = |s: &&Series| {
            s.name == KEPT[0]
                && s.label("operation").is_none_or(|o| matches!(o, "CREATE" | "UPDATE"))
                && plugin.is_none_or(|p| s.label("name") == Some(p))
        };
        let found: Vec<f64> = self.series.iter().filter(of).map(|s| s.value).collect();
        (!found.is_empty()).then(|| found.iter().sum())
    }

    /// How often the API server called a host by POST, by outcome.
    pub fn calls(&self, host: &str) -> Vec<(String, f64)> {
        let of = |s: &&Series| {
            s.name == KEPT[1] && s.label("host") == Some(host) && s.label("method") == Some("POST")
        };
        let code = |s: &Series| s.label("code").unwrap_or_default().to_owned();
        self.series.iter().filter(of).map(|s| (code(s), s.value)).collect()
    }

    /// How often a webhook's certificate had no names; `None`: not counted.
    pub fn without_names(&self) -> Option<f64> {
        self.series.iter().find(|s| s.name == KEPT[2]).map(|s| s.value)
    }
}

impl Series {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn series(line: &str) -> Option<Series> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    if !KEPT.contains(&name) {
        return None;
    }
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.rsplit_once('}')?,
        None => ("", rest),
    };
    let mut found = Vec::new();
    let mut rest = labels;
    while let Some((key, after)) = rest.split_once("=\"") {
        let end = after.find('"')?;
        let (value, after) = after.split_at(end);
        found.push((key.trim_start_matches(',').trim().to_owned(), value.to_owned()));
        rest = after.get(1..).unwrap_or_default();
    }
    let value = value.split_whitespace().next()?.parse().ok()?;
    Some(Series { name: name.to_owned(), labels: found, value })
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn the_series_that_matter_are_read() {
        let text = "# HELP x\napiserver_admission_controller_admission_duration_seconds_count{name=\"ImagePolicyWebhook\",operation=\"CREATE\",rejected=\"false\",type=\"validate\"} 3\nrest_client_requests_total{code=\"200\",host=\"127.0.0.1:1234\",method=\"POST\"} 4\nrest_client_requests_total{code=\"<error>\",host=\"127.0.0.1:1234\",method=\"POST\"} 1\nother{a=\"b\"} 2\n";
        let metrics = Metrics::of(text).unwrap();
        assert_eq!(metrics.reviews(Some("ImagePolicyWebhook")), Some(3.0));
        assert_eq!(metrics.reviews(Some("Other")), None);
        assert_eq!(metrics.calls("127.0.0.1:1234").len(), 2);
        assert_eq!(metrics.without_names(), None);
        assert_eq!(Metrics::of("hello"), None);
    }
}

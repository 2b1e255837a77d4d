//! Plans of every kind, and what is made of them.

use cleanbill::setup::files::NewFile;
use cleanbill::setup::mode::{Mode, Tool};
use cleanbill::setup::{Plan, make};
use serde_json::Value;

/// A plan of a mode that can be made.
pub fn plan(mode: Mode, tool: Option<Tool>) -> Plan {
    let webhook = mode == Mode::Webhook;
    Plan {
        mode,
        tool,
        hosts: vec![mode.host("cleanbill")],
        folder: "/made/by a person".into(),
        mount_dir: tool.map_or("/etc/kubernetes/cleanbill", Tool::mount_dir).into(),
        image: (mode != Mode::Remote).then(|| "registry.example/cleanbill:1".into()),
        pull_secrets_of: if webhook { vec!["shop".into(), "tools".into()] } else { vec![] },
        ..Plan::default()
    }
}

/// What was made, by name.
pub struct Made(Vec<NewFile>);

impl Made {
    pub fn of(plan: &Plan) -> Self {
        Self(make(plan, jiff::Timestamp::now()).unwrap())
    }

    pub fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|file| (file.name(), file.text()))
    }

    pub fn text(&self, name: &str) -> &str {
        let file = self.0.iter().find(|file| file.name() == name);
        file.unwrap_or_else(|| panic!("{name} is not made")).text()
    }

    /// The one document of a file.
    pub fn yaml(&self, name: &str) -> Value {
        let mut all = documents(self.text(name));
        assert_eq!(all.len(), 1, "{name}");
        all.remove(0)
    }

    /// The documents of all files below a folder.
    pub fn below(&self, folder: &str) -> Vec<Value> {
        let files = self.files().filter(|(name, _)| name.starts_with(folder));
        files.flat_map(|(_, text)| documents(text)).collect()
    }
}

/// The documents of a YAML text.
pub fn documents(text: &str) -> Vec<Value> {
    let parse = |part: &str| serde_saphyr::from_str(part).unwrap_or_else(|e| panic!("{e}: {part}"));
    text.split("\n---\n").map(parse).collect()
}

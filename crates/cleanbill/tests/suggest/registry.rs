//! On a registry, which is named on the command line or by the gate's configuration.

use std::sync::Arc;

use cleanbill::quickstart::examples;
use cleanbill::quickstart::registry::{Hosted, Registry};
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};

use crate::{Place, Row, config, hold};

#[test]
fn names_are_examined_where_their_registry_has_them() {
    let place = Place::new();
    let limits = Arc::new(Limits::default());
    let mut hosted = Vec::new();
    for example in examples::ALL {
        let path = place.path(&format!("{}.tar", example.name));
        let spec = InputSpec::parse(path.to_str().unwrap());
        let image = open_input(&spec, &PlatformChoice::All, &limits).unwrap().images.remove(0);
        hosted.push(Hosted::new(example.name, image));
    }
    let pinned: Vec<_> = hosted.iter().map(Hosted::digest).collect();
    let registry = Registry::start(hosted).unwrap();
    let host = registry.host();
    let name = |at: usize| format!("{host}/{}@{}", examples::ALL[at].name, pinned[at]);
    let names = format!("{} {}\n", name(0), name(1));
    let repositories: Vec<String> =
        examples::ALL.iter().map(|e| format!("- {:?}", format!("{host}/{}", e.name))).collect();
    let written: Vec<&str> =
        repositories.iter().map(String::as_str).chain(["digest_required: true"]).collect();
    let gone = format!("policy suggest --plain-http {host} {host}/nothing:1 -");
    let not = format!("not examined: {host}/nothing:1: ");
    let table: &[Row<'_>] = &[
        (&format!("policy suggest --plain-http {host} -"), &names, 0, &written, &["passing: 2"]),
        (&gone, &names, 3, &written, &[&not]),
    ];
    hold(&place, table);
    // By the gate's configuration, which says how the registry is reached.
    let config = config(&format!(
        "registries: [{{host: '{host}', plain_http: true, private: true}}]\n\
         policy: {{local_images: [morc], already_admitted: keep 1d}}\n"
    ));
    std::fs::write(place.path("cleanbill.yaml"), config).unwrap();
    let gate = "policy suggest --config cleanbill.yaml";
    let local = format!("{gate} morc:1 -");
    let table: &[Row<'_>] = &[
        (&format!("{gate} -"), &names, 0, &written, &["passing: 2"]),
        (
            &format!("{gate} -"),
            &names,
            0,
            &["The policy in force also says: already_admitted."],
            &[],
        ),
        (&local, &names, 3, &written, &["not examined: morc:1: nothing is registered"]),
        (
            &format!("{gate} -i morc:1=hello-go.tar"),
            "",
            0,
            &["local_images:\n- docker.io/library/morc"],
            &["passing: 1 image"],
        ),
        (&format!("{gate} --plain-http {host} -"), &names, 2, &[], &["--plain-http has no place"]),
    ];
    hold(&place, table);
}

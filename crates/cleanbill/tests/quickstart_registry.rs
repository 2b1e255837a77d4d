//! The tour's registry is good enough for our own registry client: what goes in comes out, by
//! digest, and nothing else does.

use std::sync::Arc;

use cleanbill::quickstart::examples::ALL;
use cleanbill::quickstart::registry::{Hosted, Registry as Tour};
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::image::{PlatformChoice, resolve};
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::{AddressRule, Registry, RegistryOptions};
use cleanbill_oci::source::{InputSpec, open_input};

#[test]
fn examples_come_back_from_the_registry_as_they_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Arc::new(Limits::default());
    let mut images = Vec::new();
    for example in ALL {
        let path = dir.path().join(example.name);
        std::fs::write(&path, example.archive()).unwrap();
        let spec = InputSpec::parse(path.to_str().unwrap());
        let opened = open_input(&spec, &PlatformChoice::All, &limits).unwrap();
        assert_eq!(opened.images.len(), 1, "{}", example.name);
        images.push((example.name, opened.images.into_iter().next().unwrap()));
    }
    let hosted: Vec<_> =
        images.iter().map(|(name, image)| Hosted::new(*name, image.clone())).collect();
    let digests: Vec<_> = hosted.iter().map(Hosted::digest).collect();
    let tour = Tour::start(hosted).unwrap();
    let mut options =
        RegistryOptions::new(AddressRule::Guarded { private_hosts: vec![tour.host()] });
    options.plain_http = vec![tour.host()];
    let registry = Registry::new(options).unwrap();
    for ((name, image), digest) in images.iter().zip(digests) {
        let reference: ImageRef = format!("{}/{name}@{digest}", tour.host()).parse().unwrap();
        let root = registry.root(&reference).unwrap();
        assert_eq!(root.descriptor.digest, digest);
        let pulled = resolve(root.content, root.descriptor, &PlatformChoice::All, &limits).unwrap();
        let pulled = &pulled[0];
        assert_eq!(pulled.config, image.config, "{name}");
        assert_eq!(pulled.layers, image.layers, "{name}");
        for index in 0..pulled.layers.len() {
            let mut layer = pulled.open_layer(index).unwrap();
            while layer.next_entry().unwrap().is_some() {}
            layer.finish().unwrap();
        }
    }
    let absent: ImageRef = format!("{}/nothing:1", tour.host()).parse().unwrap();
    assert!(registry.root(&absent).is_err());
}

#[test]
fn a_cache_that_cannot_be_used_costs_a_note_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let example = &ALL[0];
    let archive = dir.path().join("image.tar");
    std::fs::write(&archive, example.archive()).unwrap();
    let limits = Arc::new(Limits::default());
    let spec = InputSpec::parse(archive.to_str().unwrap());
    let image = open_input(&spec, &PlatformChoice::All, &limits).unwrap().images.remove(0);
    let hosted = Hosted::new(example.name, image);
    let digest = hosted.digest();
    let tour = Tour::start(vec![hosted]).unwrap();
    // A file where the folder of the cache would be.
    let blocked = dir.path().join("blocked");
    std::fs::create_dir(&blocked).unwrap();
    std::fs::write(blocked.join("cleanbill"), "").unwrap();
    let usable = dir.path().join("usable");
    let scan = |cache: &std::path::Path| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_cleanbill"))
            .args(["image", "--plain-http", &tour.host(), "-f", "lines"])
            .arg(format!("{}/{}@{digest}", tour.host(), example.name))
            .env("XDG_CACHE_HOME", cache)
            .env_remove("CLEANBILL_DB")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (first, said) = scan(&usable);
    assert!(!said.contains("note:"), "{said}");
    assert!(first.contains("CVE-2019-14697"), "{first}");
    assert!(usable.join("cleanbill/evidence-cli.db").exists());
    assert_eq!(scan(&usable).0, first, "from the cache");
    let (uncached, said) = scan(&blocked);
    assert_eq!(uncached, first);
    assert!(said.starts_with("note: what is read is not kept for the next scan: "), "{said}");
}

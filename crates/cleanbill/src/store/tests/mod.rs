//! What is kept comes back, for its owner alone, and damage is told.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::{Inventory, InventoryKey, LayerKey};

use super::{Api, Decision, Owner, Store};

mod crash;
mod decisions;
mod facts;
mod journal;
mod migration;
mod referred;
mod registrations;
mod snapshots;

fn digest(n: u8) -> Digest {
    Digest::Sha256([n; 32])
}

fn layer(n: u8) -> LayerKey {
    LayerKey {
        diff_id: digest(n),
        blob: digest(n),
        media_type: "tar".into(),
        engine: 1,
        options: digest(0),
    }
}

fn inventory() -> Inventory {
    let gap = Gap::new(GapKind::OverLimit, "layer 3", "12 GB");
    Inventory { gaps: vec![gap], ..Inventory::default() }
}

pub(super) fn decision(id: &str, time: Timestamp) -> Decision {
    let time = Timestamp::from_millisecond(time.as_millisecond()).unwrap();
    Decision {
        id: id.into(),
        time,
        api: Api::AdmissionReview,
        question: Some("{}".into()),
        namespace: Some("shop".into()),
        images: vec![("a/b:1".into(), Some(digest(4))), ("c".into(), None)],
        outcome: "denied".into(),
        reason: "because".into(),
        warnings: vec!["old".into()],
        policy: digest(1),
        snapshot: Some(digest(2)),
        evidence: Vec::new(),
        trace: "[]".into(),
        engine: "0".into(),
        judged_at: time,
        latency_us: 1234,
        enforced: true,
        break_glass: None,
    }
}

fn refused(dir: &Path, owner: Owner) -> String {
    match Store::open(dir, owner) {
        Ok(_) => panic!("{} opened", dir.display()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn evidence_survives_a_restart_and_every_part_of_a_key_counts() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a/state");
    let key = InventoryKey { layers: vec![layer(1), layer(2)], config: digest(9) };
    {
        let store = Store::open(&state, Owner::Gate).unwrap();
        assert_eq!(store.inventory(&key).unwrap(), None);
        store.put_inventory(&key, &inventory()).unwrap();
        store.put_layer(&layer(1), &vec!["facts"]).unwrap();
        store.check_writable().unwrap();
    }
    let store = Store::open(&state, Owner::Gate).unwrap();
    assert_eq!(store.inventory(&key).unwrap(), Some(inventory()));
    assert_eq!(store.layer::<Vec<String>>(&layer(1)).unwrap(), Some(vec!["facts".into()]));
    let other_layers = [
        LayerKey { diff_id: digest(3), ..layer(1) },
        LayerKey { blob: digest(3), ..layer(1) },
        LayerKey { media_type: "tar+zstd".into(), ..layer(1) },
        LayerKey { engine: 2, ..layer(1) },
        LayerKey { options: digest(3), ..layer(1) },
    ];
    for other in other_layers {
        assert_eq!(store.layer::<Vec<String>>(&other).unwrap(), None, "{other:?}");
        let key = InventoryKey { layers: vec![other, layer(2)], ..key.clone() };
        assert_eq!(store.inventory(&key).unwrap(), None);
    }
    let reversed = InventoryKey { layers: vec![layer(2), layer(1)], ..key.clone() };
    assert_eq!(store.inventory(&reversed).unwrap(), None);
    assert_eq!(store.inventory(&InventoryKey { config: digest(8), ..key }).unwrap(), None);
}

#[test]
fn only_the_owner_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    drop(Store::open(&state, Owner::Gate).unwrap());
    let file = state.join("evidence.db");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&file)), (0o700, 0o600));

    // A person's store under the gate's name is not the gate's.
    drop(Store::open(&state, Owner::Cli).unwrap());
    std::fs::remove_file(&file).unwrap();
    std::fs::copy(state.join("evidence-cli.db"), &file).unwrap();
    let said = refused(&state, Owner::Gate);
    assert!(said.contains("written by \"cli\", not by \"gate\""), "{said}");
    std::fs::remove_file(&file).unwrap();
    drop(Store::open(&state, Owner::Gate).unwrap());

    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let said = refused(&state, Owner::Gate);
    assert!(said.contains("can be used by others (mode 644)") && said.contains("chmod"), "{said}");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    assert!(refused(&state, Owner::Gate).contains("mode 755"));
    std::fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();

    let real = state.join("real.db");
    std::fs::rename(&file, &real).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    assert!(refused(&state, Owner::Gate).contains("symbolic link"));
}

#[test]
fn damage_and_other_versions_are_told_and_nothing_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    {
        let store = Store::open(&state, Owner::Gate).unwrap();
        store.record_decision(&decision("a", Timestamp::now())).unwrap();
    }
    let file = state.join("evidence.db");
    let whole = std::fs::read(&file).unwrap();
    let half = whole.len() / 2;
    let damages: Vec<(&str, Vec<u8>)> = vec![
        ("emptied", Vec::new()),
        ("another file", b"hello, this is no database at all".repeat(40)),
        ("cut off", whole[..half].to_vec()),
        ("scribbled over", {
            let mut bytes = whole.clone();
            bytes[200..half].fill(0xa5);
            bytes
        }),
    ];
    for (what, bytes) in damages {
        std::fs::write(&file, &bytes).unwrap();
        let said = refused(&state, Owner::Gate);
        assert!(said.contains("next: ") && said.contains("move it away"), "{what}: {said}");
        assert!(std::fs::read(&file).unwrap() == bytes, "{what}: it was changed");
    }
    std::fs::write(&file, &whole).unwrap();
    let raw = rusqlite::Connection::open(&file).unwrap();
    raw.pragma_update(None, "user_version", 7).unwrap();
    drop(raw);
    assert!(refused(&state, Owner::Gate).contains("has version 7"));
}

#[test]
fn a_store_that_is_gone_is_not_writable() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = Store::open(&state, Owner::Gate).unwrap();
    std::fs::remove_dir_all(&state).unwrap();
    store.check_writable().unwrap_err();
}

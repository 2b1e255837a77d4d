//! The change to the text of kube-apiserver's manifest, and what is shown of it.

use cleanbill::setup::apply::diff::unified;
use cleanbill::setup::apply::edit::{Change, edit};
use serde_json::{Value, json};

/// As kubeadm writes it, with what people leave in it.
pub const MANIFEST: &str = include_str!("manifest.yaml");

fn change() -> Change {
    Change {
        plugins: vec!["ImagePolicyWebhook".into()],
        config_file: "/etc/kubernetes/cleanbill/admission-configuration.yaml".into(),
        mount_dir: "/etc/kubernetes/cleanbill".into(),
    }
}

#[test]
fn lines_are_added_and_all_others_stay() {
    let made = edit(MANIFEST, &change()).unwrap();
    assert_eq!(
        unified("kube-apiserver.yaml", MANIFEST, &made),
        "\
--- kube-apiserver.yaml
+++ kube-apiserver.yaml
@@ -16,10 +16,11 @@
     - kube-apiserver
     - --advertise-address=10.0.0.5
     - --authorization-mode=Node,RBAC
-    - --enable-admission-plugins=NodeRestriction
+    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook
     # Longer than the default, for the big list.
     - --request-timeout=90s
     - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
+    - --admission-control-config-file=/etc/kubernetes/cleanbill/admission-configuration.yaml
     image: registry.k8s.io/kube-apiserver:v1.36.2
     imagePullPolicy: IfNotPresent
     livenessProbe:
@@ -40,6 +41,9 @@
     - mountPath: /etc/kubernetes/pki
       name: k8s-certs
       readOnly: true
+    - mountPath: \"/etc/kubernetes/cleanbill\"
+      name: \"cleanbill\"
+      readOnly: true
   hostNetwork: true
   priorityClassName: system-node-critical
   volumes:
@@ -51,4 +55,8 @@
       path: /etc/kubernetes/pki
       type: DirectoryOrCreate
     name: k8s-certs
+  - hostPath:
+      path: \"/etc/kubernetes/cleanbill\"
+      type: \"Directory\"
+    name: \"cleanbill\"
 status: {}
"
    );
    let read: Value = serde_saphyr::from_str(&made).unwrap();
    let spec = &read["spec"];
    assert_eq!(spec["volumes"][2]["hostPath"]["path"], "/etc/kubernetes/cleanbill");
    assert_eq!(spec["containers"][0]["volumeMounts"][2]["readOnly"], json!(true));
    assert_eq!(edit(&made, &change()).unwrap(), made, "done twice it is done once");
    assert_eq!(unified("x", &made, &made), "");
}

#[test]
fn every_way_to_write_it_is_changed_rightly_or_refused() {
    let command = "    - kube-apiserver\n    - --a=b\n";
    // What is replaced in the manifest, by what; then a line of the result, or of the refusal.
    let table: &[(&str, &str, Result<&str, &str>)] = &[
        ("=NodeRestriction", "=NodeRestriction,ImagePolicyWebhook", Ok("- --admission-control")),
        (
            "    - --enable-admission-plugins=NodeRestriction\n",
            "",
            Ok("    - --enable-admission-plugins=ImagePolicyWebhook\n"),
        ),
        (
            "- --enable-admission-plugins=NodeRestriction",
            "- \"--enable-admission-plugins=NodeRestriction\"",
            Ok("- \"--enable-admission-plugins=NodeRestriction,ImagePolicyWebhook\""),
        ),
        ("=NodeRestriction", "=", Ok("--enable-admission-plugins=ImagePolicyWebhook\n")),
        (
            "- --request-timeout=90s",
            "- --admission-control-config-file=/etc/kubernetes/cleanbill/admission-configuration.yaml",
            Ok("NodeRestriction,ImagePolicyWebhook\n"),
        ),
        // Another indent, as some tools write lists.
        (
            "    - mountPath: /etc/ssl/certs\n      name: ca-certs\n      readOnly: true\n    - mountPath: /etc/kubernetes/pki\n      name: k8s-certs\n      readOnly: true\n",
            "      - mountPath: /etc/kubernetes/pki\n        name: k8s-certs\n",
            Ok("      - mountPath: \"/etc/kubernetes/cleanbill\"\n"),
        ),
        // No end of the last line.
        (
            "    name: k8s-certs\nstatus: {}\n",
            "    name: k8s-certs",
            Ok("    name: \"cleanbill\"\n"),
        ),
        (
            "- --request-timeout=90s",
            "- --admission-control-config-file=/etc/other.yaml",
            Err("has --admission-control-config-file=/etc/other.yaml already"),
        ),
        (
            "- --request-timeout=90s",
            "- --disable-admission-plugins=X,ImagePolicyWebhook",
            Err("has ImagePolicyWebhook in --disable-admission-plugins"),
        ),
        (
            "- --request-timeout=90s",
            "- --enable-admission-plugins=AlwaysPullImages",
            Err("--enable-admission-plugins stands in it twice"),
        ),
        (
            "- --enable-admission-plugins=NodeRestriction",
            "- --enable-admission-plugins\n    - NodeRestriction",
            Err("and its value are two entries"),
        ),
        ("name: k8s-certs\nstatus", "name: cleanbill\nstatus", Err("has another hostPath")),
        ("  volumes:\n", "  volumen:\n", Err("it has no volumes")),
        ("kind: Pod", "kind: Pot", Err("it is no Pod with a container kube-apiserver")),
        (
            "    name: kube-apiserver\n    resources",
            "    name: api\n    resources",
            Err("it is no Pod with a container kube-apiserver"),
        ),
        ("status: {}", "status: {", Err("it is no YAML")),
        ("kind: Pod", "kind: Pod\nkind: Pod", Err("kube-apiserver.yaml")),
    ];
    for (old, new, wanted) in table {
        assert!(MANIFEST.contains(old), "{old}");
        let text = MANIFEST.replacen(old, new, 1);
        match (edit(&text, &change()), wanted) {
            (Ok(made), Ok(line)) => {
                assert!(made.contains(line), "{line} is not in {made}");
                let read: Value = serde_saphyr::from_str(&made).unwrap();
                let flags = read["spec"]["containers"][0]["command"].to_string();
                for word in ["ImagePolicyWebhook", "/etc/kubernetes/cleanbill/admission-conf"] {
                    assert_eq!(flags.matches(word).count(), 1, "{flags}");
                }
                assert_eq!(edit(&made, &change()).unwrap(), made);
            }
            (Err(e), Err(words)) => {
                let said = e.to_string();
                assert!(said.contains(words) && said.contains("next:"), "{said}");
            }
            (made, _) => panic!("{new}: {made:?}"),
        }
    }
    // Flow style is YAML too, and no line can be added to it.
    let (head, tail) = MANIFEST.split_once("  - command:\n").unwrap();
    let tail = &tail[tail.find("    image:").unwrap()..];
    for (text, words) in [
        (
            format!("{head}  - command: [kube-apiserver, --a=b]\n{tail}"),
            "cannot be changed by this program",
        ),
        (format!("{head}  - command: []\n{tail}"), "is empty"),
        (format!("{head}  - command: kube-apiserver\n{tail}"), "is no list"),
        (
            serde_json::to_string(&serde_saphyr::from_str::<Value>(MANIFEST).unwrap()).unwrap(),
            "cannot be changed by this program",
        ),
    ] {
        let said = edit(&text, &change()).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    assert!(edit(&format!("{head}  - command:\n{command}{tail}"), &change()).is_ok());
}

#[test]
fn differences_are_shown_as_diff_shows_them() {
    let lines = |n: std::ops::Range<u32>| n.map(|i| format!("{i}\n")).collect::<String>();
    let long = lines(1..40);
    let table: &[(String, String, &str)] = &[
        ("a\n".into(), "b\n".into(), "@@ -1,1 +1,1 @@\n-a\n+b\n"),
        (String::new(), "a\n".into(), "@@ -1,0 +1,1 @@\n+a\n"),
        (
            long.clone(),
            long.replace("\n20\n", "\n"),
            "@@ -17,7 +17,6 @@\n 17\n 18\n 19\n-20\n 21\n 22\n 23\n",
        ),
        (
            long.clone(),
            long.replace("\n5\n", "\nx\n").replace("\n35\n", "\ny\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n@@ -32,7 +32,7 @@\n 32\n 33\n 34\n-35\n+y\n 36\n 37\n 38\n",
        ),
    ];
    for (old, new, wanted) in table {
        assert_eq!(unified("f", old, new), format!("--- f\n+++ f\n{wanted}"));
    }
}

//! On archives, and on names that no registry has.

use crate::{Place, Row, hold};

const CASES: &str = "\
policy: policy.yaml
cases:
  - name: the old one runs
    request: {images: [r.example/old:1]}
    evidence: {input: alpine-3.9.0.tar}
    expect: allowed
  - name: so does the new one
    evidence: {input: hello-go.tar}
    request: {images: [r.example/new:1]}
    expect: allowed
";

#[test]
fn from_archives_to_a_policy_that_check_agrees_with() {
    let place = Place::new();
    std::fs::write(place.path("names"), "127.0.0.1:1/a:1 127.0.0.1:1/a:1\n\n127.0.0.1:1/b:1\n")
        .unwrap();
    // Cases about the policy that is suggested, beside it.
    std::fs::write(place.path("cases.yaml"), CASES).unwrap();
    std::fs::write(place.path("wrong.yaml"), CASES.replace("old:1]", "oldest:1]")).unwrap();
    std::fs::write(place.path("gone.yaml"), CASES.replace("hello-go", "gone")).unwrap();
    let both = "policy suggest -i r.example/old:1=alpine-3.9.0.tar -i r.example/new:1=hello-go.tar";
    let one = "policy suggest -i r.example/new:1=hello-go.tar";
    let table: &[Row<'_>] = &[
        // The old one is spared, and needs exceptions.
        (
            &format!("{both} -o policy.yaml"),
            "",
            0,
            &[],
            &["passing: 2 images of 2 repositories", "for 1 repository", "nobody answers"],
        ),
        ("policy check policy.yaml", "", 0, &["warning: policy.yaml:", "nobody-yet"], &[]),
        (
            "policy explain policy.yaml",
            "",
            0,
            &["CVE-2019-14697 in musl for images of r.example/old"],
            &[],
        ),
        (
            "check --policy policy.yaml -i alpine-3.9.0.tar r.example/old:1",
            "",
            0,
            &["ALLOWED"],
            &[],
        ),
        ("check --policy policy.yaml -i hello-go.tar r.example/new:1", "", 0, &["ALLOWED"], &[]),
        ("policy test cases.yaml", "", 0, &["passed 2, failed 0"], &[]),
        (
            "policy test wrong.yaml",
            "",
            1,
            &["FAILED  wrong.yaml: the old one runs", "denied by allowed"],
            &[],
        ),
        ("policy test gone.yaml", "", 2, &[], &["gone.yaml:8:23: there is no gone.tar"]),
        // The same bytes from elsewhere, and other bytes under a name that is spared nothing.
        ("check --policy policy.yaml -i hello-go.tar r.example/other:1", "", 1, &["DENIED"], &[]),
        (
            "check --policy policy.yaml -i alpine-3.9.0.tar r.example/new:1",
            "",
            1,
            &["end-of-life"],
            &[],
        ),
        (
            &format!("{both} -o policy.yaml"),
            "",
            2,
            &[],
            &["cannot write policy.yaml", "not there yet"],
        ),
        (
            &format!("{both} --owner anna@example.org --expires 10d"),
            "",
            0,
            &["highest_severity: none", "owner: \"anna@example.org\"", "subject: \"alpine 3.9\""],
            &["passing: 2 images"],
        ),
        (
            &format!("{both} --exceptions 0"),
            "",
            0,
            &["highest_severity: low", "unrated_as: low", "exceptions: []"],
            &["0 exceptions for 0 repositories"],
        ),
        // What cannot be examined is named, in the policy too, and is an exit code of its own.
        (
            &format!("{one} -i r.example/gone:1=absent.tar --images-from names"),
            "",
            3,
            &[
                "- r.example/new",
                "# NOT COVERED",
                "# - r.example/gone:1: ",
                "# - 127.0.0.1:1/b:1: ",
            ],
            &["not examined: 127.0.0.1:1/a:1: ", "not examined: r.example/gone:1: absent.tar"],
        ),
        ("policy suggest -", "127.0.0.1:1/a:1", 2, &[], &["none of the images could be examined"]),
        ("policy suggest -", "", 2, &[], &["nothing to suggest a policy from"]),
        ("policy suggest -i hello-go.tar", "", 2, &[], &["gives its image no name"]),
        ("policy suggest", "", 2, &[], &["no images were named", "--config"]),
        (&format!("{one} --owner FILL-IN"), "", 2, &[], &["--owner names nobody"]),
        (&format!("{one} --expires 400d"), "", 2, &[], &["no number of days"]),
        (&format!("{one} --since 3d"), "", 2, &[], &["--since has no place here"]),
        (&format!("{one} --images-from absent"), "", 2, &[], &["absent cannot be read"]),
        ("policy suggest --config absent.yaml", "", 2, &[], &["absent.yaml cannot be read"]),
    ];
    hold(&place, table);
}

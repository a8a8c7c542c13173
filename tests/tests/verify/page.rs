//! The table of faults as a page of the documentation.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use crate::faults::{FAULTS, Fault, NAMES, WrongName};
use crate::streams;

const PAGE: &str = "docs/faults.md";

#[test]
fn the_faults_are_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let (path, page) = (root.join(PAGE), page());
    if env::var_os("STAGEPLOT_BLESS").is_some() {
        fs::write(&path, &page).expect("a page");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "{PAGE} is not up to date: run this with STAGEPLOT_BLESS=1");
}

#[test]
fn there_are_enough_of_them() {
    let brought: usize = FAULTS.len() + NAMES.len();
    assert!(brought >= 40, "{brought}");
    let of_streams = streams::FAULTS.len() + streams::NAMES.len();
    assert!(of_streams >= 25, "{of_streams}");
}

fn page() -> String {
    let mut page = String::from(
        "# Faults, and what `stageplot verify` says of them\n\n\
         Each of these is brought about on machines with the real programs, one at a time,\n\
         and verify has to name it as the first thing to mend: a test does so at every change\n\
         (`tests/tests/verify`), and this page is written from its tables. Each cause has a page:\n\
         see [causes.md](causes.md), or `stageplot explain CAUSE`.\n\n\
         ## LiveKit on four machines\n\n",
    );
    table(&mut page, FAULTS, NAMES);
    let _ = writeln!(
        page,
        "\nWith `--closed`, seen from another node: a rule that lets a TCP port in is \
         [`port-open`](causes.md#port-open),\none that lets a UDP port in too; rules that are not loaded are \
         [`not-filtered`](causes.md#not-filtered); a container\nthat is routed to is \
         [`container-routed`](causes.md#container-routed).\n\n\
         ## Live streaming by RTMP and WebRTC on six machines\n"
    );
    table(&mut page, streams::FAULTS, streams::NAMES);
    page
}

fn table(page: &mut String, faults: &[Fault], names: &[WrongName]) {
    page.push_str("| what is wrong | seen from | the first thing to mend |\n|---|---|---|\n");
    let mut row = |name: &str, from: &str, cause: &str, service: &str, node: &str| {
        let at = match (service, node) {
            ("", _) => "the machine".to_owned(),
            (service, "") => format!("`{service}`"),
            (service, node) => format!("`{service}` on {node}"),
        };
        let _ = writeln!(page, "| {name} | {from} | [`{cause}`](causes.md#{cause}): {at} |");
    };
    for fault in faults {
        let (cause, service, node) = fault.first;
        row(fault.name, fault.from, cause, service, node);
    }
    for fault in names {
        row(fault.name, "outside", fault.cause, fault.service, "");
    }
}

//! Secrets, which leave the files for one of their own.

use stageplot_topology::{Code, EnvValue, SecretRef};

use super::{APP, INFRA, MACHINES, NODE, app, imported, with, without};
use crate::found;

#[test]
fn what_all_share_is_one_secret_of_the_plot() {
    let import = imported(&MACHINES);
    let names: Vec<_> = import.secrets.names().collect();
    let all =
        ["ADMIN_PASSWORD", "CADDY_LB_COOKIE_SECRET", "JWT_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD"];
    assert_eq!(names, all);
    assert_eq!(import.secrets.missing().count(), 0);
    assert!(import.secrets.render().contains("\nPOSTGRES_PASSWORD='a-password-of-postgres'\n"));
    let env = &app(&import.plot).env;
    assert_eq!(env["DATABASE_PASSWORD"], EnvValue::Secret(SecretRef::env("POSTGRES_PASSWORD")));
    assert_eq!(env["JWT_SECRET"], EnvValue::Secret(SecretRef::env("JWT_SECRET")));
}

#[test]
fn the_example_files_values_are_none() {
    let change = |text: &str| {
        let text =
            with(text, &[("POSTGRES_PASSWORD", "change_this_secure_password"), ("REDIS_PASSWORD", "...")]);
        match text.contains("JWT_SECRET") {
            true => with(
                &text,
                &[("JWT_SECRET", "change_this_jwt_secret"), ("ADMIN_PASSWORD", "change_this_admin_password")],
            ),
            false => text,
        }
    };
    let app_file =
        with(&change(APP), &[("CADDY_ADDRESS", "你的域名"), ("CADDY_LB_COOKIE_SECRET", "<secret>")]);
    let import =
        imported(&[("10.0.0.10", &change(INFRA)), ("10.0.0.11", &app_file), ("10.0.0.12", &change(NODE))]);
    let open: Vec<_> = import.secrets.open().collect();
    let all =
        ["ADMIN_PASSWORD", "CADDY_LB_COOKIE_SECRET", "JWT_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD"];
    assert_eq!(open, all);
    let missing = found(&import.findings, Code::EnvMissing);
    for name in all.into_iter().chain(["CADDY_ADDRESS"]) {
        let told = missing.iter().filter(|text| text.contains(&format!(".{name}: ")));
        assert_eq!(told.count(), 1, "{name}: {missing:#?}");
    }
    assert_eq!(
        super::edge(&import.plot).domain.as_ref().map(|name| name.as_str()),
        Some("fluxcode.example.com")
    );
    for domain in ["fluxcode.example.com", "flux-code.cc"] {
        let import = imported(&[MACHINES[0], ("10.0.0.11", &with(APP, &[("CADDY_ADDRESS", domain)]))]);
        assert!(found(&import.findings, Code::EnvMissing)[0].contains("still an example"), "{domain}");
        assert_eq!(super::edge(&import.plot).domain.as_ref().map(|name| name.as_str()), Some(domain));
    }
}

#[test]
fn what_no_file_has_is_asked_for_and_what_one_lacks_is_told() {
    let names =
        ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET", "ADMIN_PASSWORD", "CADDY_LB_COOKIE_SECRET"];
    let less = |text: &str| names.iter().fold(text.to_owned(), |text, name| without(&text, name));
    let import = imported(&[("10.0.0.10", &less(INFRA)), ("10.0.0.11", &less(APP))]);
    let missing = found(&import.findings, Code::EnvMissing).join("\n");
    for name in &names[..4] {
        assert!(missing.contains(&format!("no file has {name}")), "{name}: {missing}");
    }
    // The cookie needs none.
    assert_eq!(import.secrets.open().count(), 4);
    let node = without(NODE, "JWT_SECRET");
    let import = imported(&[MACHINES[0], MACHINES[1], ("10.0.0.12", &node)]);
    let changed = found(&import.findings, Code::EnvChanged).join("\n");
    assert!(changed.contains("JWT_SECRET is the same on all machines, and this file has none; it is given the one of 10.0.0.11 line "), "{changed}");
}

#[test]
fn a_secret_does_not_slip_in_by_another_name() {
    let text = format!("{APP}WEB_TITLE=\"Ours: $JWT_SECRET\"\n");
    let findings = crate::read(&[MACHINES[0], ("10.0.0.11", &text)]).expect_err("a leak");
    assert_eq!(found(&findings, Code::InvalidValue).len(), 1, "{findings}");
    assert!(!findings.to_string().contains("0123456789abcdef"), "{findings}");
}

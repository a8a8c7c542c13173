//! What Grafana is given to start with, held against what its source reads: the program is not
//! to be had here.

use std::collections::BTreeSet;

use serde_json::Value;
use stageplot_render::Artifact;
use stageplot_tests::want;

use super::Example;

/// The keys of a source of data (`pkg/services/provisioning/datasources/types.go`,
/// `upsertDataSourceFromConfigV1`).
const SOURCE: &[&str] = &[
    "orgId",
    "version",
    "name",
    "type",
    "access",
    "url",
    "user",
    "database",
    "basicAuth",
    "basicAuthUser",
    "withCredentials",
    "isDefault",
    "jsonData",
    "secureJsonData",
    "editable",
    "uid",
];

/// The keys of a provider of dashboards (`pkg/services/provisioning/dashboards/types.go`,
/// `DashboardProviderConfigs`).
const PROVIDER: &[&str] = &["name", "type", "orgId", "folder", "editable", "options", "disableDeletion"];

#[test]
fn every_file_is_as_grafana_reads_it() {
    let mut checked = 0;
    for example in want!(Example::all()) {
        let all = example.rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
        let given = all.filter(|file| file.path.ends_with("/datasources/stageplot.yml"));
        for sources in given {
            let dir = sources.path.trim_end_matches("datasources/stageplot.yml");
            let file = |name: &str| -> &Artifact {
                let all = example.rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
                all.into_iter().find(|file| file.path == format!("{dir}{name}")).expect("a file")
            };
            let sources = read(sources);
            assert_eq!(sources["apiVersion"], 1);
            let sources = sources["datasources"].as_array().expect("sources");
            assert!(!sources.is_empty(), "{}: nobody is asked", example.name);
            assert_eq!(sources.iter().filter(|source| source["isDefault"] == true).count(), 1);
            for source in sources {
                knows(source, SOURCE);
                assert_eq!((&source["type"], &source["access"]), (&"prometheus".into(), &"proxy".into()));
            }
            let uids: BTreeSet<_> = sources.iter().map(|source| source["uid"].to_string()).collect();
            // Longer ones are refused (`util.MaxUIDLength`).
            assert!(uids.len() == sources.len() && uids.iter().all(|uid| uid.len() <= 42), "{uids:?}");
            let provider = &read(file("dashboards/stageplot.yml"))["providers"][0];
            knows(provider, PROVIDER);
            assert_eq!(provider["options"]["path"], "/etc/grafana/provisioning/boards");
            let board: Value = serde_json::from_slice(&file("boards/stack.json").bytes).expect("JSON");
            assert!(board["panels"].as_array().is_some_and(|panels| panels.len() > 3), "{board:#}");
            checked += 1;
        }
    }
    assert!(checked > 0, "no plot has a Grafana");
}

fn read(file: &Artifact) -> Value {
    let text = std::str::from_utf8(&file.bytes).expect("UTF-8");
    serde_saphyr::from_str(text).expect("YAML")
}

#[track_caller]
fn knows(table: &Value, keys: &[&str]) {
    for key in table.as_object().expect("a table").keys() {
        assert!(keys.contains(&key.as_str()), "{key} is no key of Grafana's");
    }
}

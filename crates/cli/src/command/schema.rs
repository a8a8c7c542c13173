//! `stageplot schema`

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use stageplot_topology::{Code, Plot, ServiceSpec};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen;

/// Print the JSON Schema of a plot, for editors that complete and check
///
/// Save it beside the plot, and tell the editor: in a stageplot.toml by the first
/// line "#:schema ./stageplot.schema.json", in YAML by
/// "# yaml-language-server: $schema=./stageplot.schema.json".
#[derive(clap::Args)]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        screen::json(&schema())?;
        Ok(Exit::Well)
    }
}

/// The schema of a plot as files have it: that of [`Plot`], and the short forms.
///
/// Draft 7 is the latest that the usual editors know in full.
pub(crate) fn schema() -> Value {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Plot>();
    let mut schema = Value::from(schema);
    let short: Map<String, Value> = ServiceSpec::KINDS
        .iter()
        .filter_map(|kind| Some(((*kind).to_owned(), short_form(&schema, kind)?)))
        .collect();
    schema["title"] = json!("Stage plot");
    // Services may all be in the short form, and nodes may come later.
    schema["required"] = json!(["name"]);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.extend(short);
    }
    let codes: Vec<_> = Code::ALL.iter().filter(|code| !code.is_fixed()).map(|code| code.as_str()).collect();
    schema["properties"]["severity"]["propertyNames"] = json!({ "enum": codes });
    schema
}

/// A service of a kind without the field that tells the kind: the table's name
/// does.
fn short_form(schema: &Value, kind: &str) -> Option<Value> {
    let kinds = schema["definitions"]["ServiceSpec"]["oneOf"].as_array()?;
    let mut short = kinds.iter().find(|form| form["properties"]["kind"]["const"] == kind)?.clone();
    short["properties"].as_object_mut()?.shift_remove("kind");
    short["required"].as_array_mut()?.retain(|field| field != "kind");
    let about = short["description"].as_str().unwrap_or_default().to_owned();
    short["description"] = json!(format!("{about} Short for `[services.{kind}]` with `kind = \"{kind}\"`."));
    Some(short)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use stageplot_topology::{Document, Format};

    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("plot.json", schema()).expect("a name");
        let compiled = compiler.compile("plot.json", &mut schemas).expect("a schema");
        let plot: Value = toml::from_str(text).expect("TOML");
        schemas.validate(&plot, compiled).err().map(|error| error.to_string()).into_iter().collect()
    }

    #[test]
    fn every_example_is_accepted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let examples = root.join("../../examples/plots").read_dir().expect("the example plots");
        let examples = examples.map(|entry| entry.expect("an example").path().join("stageplot.toml"));
        let presets = root.join("presets").read_dir().expect("the presets");
        let presets = presets.map(|entry| entry.expect("a preset").path());
        let mut count = 0;
        for path in examples.chain(presets) {
            let text = std::fs::read_to_string(&path).expect("a plot");
            assert_eq!(errors(&text), [""; 0], "{}", path.display());
            count += 1;
        }
        assert!(count >= 10, "{count} plots");
    }

    /// Forms that the examples have not, each accepted by both or refused by both.
    #[test]
    fn the_schema_and_the_reader_agree() {
        let head = "name = \"live\"\n[nodes.a]\npublic = \"203.0.113.1\"\n";
        let accepted = [
            "",
            "[redis]\npassword = \"a literal\"",
            "[redis]\npassword = { command = \"print-it\" }",
            "[redis]\npassword = { command = [\"pass\", \"redis\"] }",
            "[redis]\npassword = { file = \"redis.password\" }\nmaxmemory = \"512mb\"\nport = 6380",
            "[redis]\nexternal = { address = \"redis.example.com:6380\", tls = {} }",
            "[services.cache]\nkind = \"redis\"\nprimary = \"a\"",
            "[postgres]\nmajor = 16\nexternal = { address = \"postgres.example.com:5432\" }",
            "[edge]\ndomain = \"a.example.com\"\ntls = { cert = \"a.pem\", key = { env = \"KEY\" } }",
            "[edge]\ndomain = \"a.example.com\"\ntls = \"internal\"\nstream-close-delay = \"10m\"",
            "[edge]\ndomain = \"a.example.com\"\naliases = \"b.example.com\"",
            "[livekit]\ntcp-port = 0\nudp = 7882\nsettings = { rtc = { use_mdns = true } }",
            "[livekit]\nudp = \"7882\"",
            "[livekit]\nudp = \"7882 - 7890\"",
            "[livekit]\nudp = \"50000-50100\"\nturn = { domain = \"turn.example.com\" }",
            "[app]\nrun = \"host\"\nport = 80\nenv = { A = \"b\", C = { env = \"C\" } }",
            "[app]\nimage = \"a:1\"\nopen = { rtmp = { port = 1935, from = \"any\" } }\nvolumes = { data = \"/data\" }",
            "[access]\nssh = { port = 22, from = [\"198.51.100.0/24\", \"2001:db8::/32\"] }",
            "[severity]\nfloating-image = \"allow\"",
            "[firewall]\ninput = \"ufw\"",
            "[registries]\n\"docker.io\" = \"mirror.example.com:5000/hub\"\n\"10.0.0.5:5000\" = { http = true }",
            "[nodes.b]\npublic = { v4 = \"203.0.113.2\", v6 = \"2001:db8::2\", bound = false }\nmemory = \"8gb\"",
            "[networks.lan]\ncidr = [\"10.0.0.0/24\", \"fd00::/64\"]",
        ];
        let refused = [
            "[redis]\nkind = \"redis\"",
            "[redis]\nport = 0",
            "[postgres]\nuser = \"a b\"",
            "[redis]\nport = \"6380\"",
            "[livekit]\ntcp-port = \"7881\"",
            "[access]\nssh = { port = \"22\" }",
            "[redis]\npasword = \"x\"",
            "[redis]\npassword = { env = \"A\", file = \"b\" }",
            "[services.cache]\nprimary = \"a\"",
            "[services.Cache]\nkind = \"redis\"",
            "[services.cache]\nkind = \"no-such-kind\"",
            "[severity]\nno-such-code = \"allow\"",
            "[severity]\nfloating-image = \"loud\"",
            "[firewall]\ninput = \"iptables\"",
            "[registries]\n\"docker.io\" = { mirror = \"mirror.example.com\" }",
            "[nodes.b]\nrole = [\"redis\"]",
            "[edge]\ntls = \"on\"",
            "[livekit]\nversion = 1",
        ];
        let mut wrong = Vec::new();
        for (text, is_accepted) in
            accepted.iter().map(|text| (text, true)).chain(refused.iter().map(|text| (text, false)))
        {
            let text = format!("{head}{text}\n");
            let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("TOML");
            let shape = ["unknown-field", "wrong-type", "invalid-value", "missing-field", "wrong-kind"];
            let read = Plot::read(&document);
            let findings = read.as_ref().map_or_else(|findings| findings, |built| &built.findings);
            let misread = findings.iter().filter(|finding| shape.contains(&finding.code.as_str()));
            let misread: Vec<_> = misread.map(ToString::to_string).collect();
            if misread.is_empty() != is_accepted {
                wrong.push(format!(
                    "the reader, which was to {}: {text}{misread:?}",
                    if is_accepted { "take it" } else { "refuse it" }
                ));
            }
            if errors(&text).is_empty() != is_accepted {
                wrong.push(format!(
                    "the schema, which was to {}: {text}{:?}",
                    if is_accepted { "take it" } else { "refuse it" },
                    errors(&text)
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

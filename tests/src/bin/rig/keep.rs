//! The keeper: the process whose guards hold what is up.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{self, ExitCode};
use std::thread;

use stageplot_tests::{Given, Rig};
use stageplot_topology::dotenv::Dotenv;
use stageplot_topology::{Document, Format, Plot, Topology};

use crate::Result;
use crate::state::{Files, Place, State};

/// Brings a plot up and holds it until it is killed. Tells of the steps on standard
/// output, which it closes when all is up.
pub(crate) fn keep(arguments: &[String]) -> Result<ExitCode> {
    let [name, plot, apps @ ..] = arguments else { return Err("keep takes a name and a plot".into()) };
    // So that it outlives the terminal in which it was started.
    let _ = rustix::process::setsid();
    let files = Files::named(Some(name))?;
    let _lock = files.keep()?;
    let mut state = State {
        plot: plot.clone(),
        pid: process::id(),
        temporary: env::temp_dir(),
        is_up: false,
        places: Vec::new(),
        records: String::new(),
    };
    files.write(&state)?;

    let (topology, secrets) = read(Path::new(plot))?;
    let apps = apps.iter().filter_map(|app| app.split_once('='));
    let apps = apps.map(|(name, command)| (name.to_owned(), command.to_owned())).collect();
    let given = Given { secrets, apps };
    // Where nobody listens any more, this fails, and so all ends.
    let rig = Rig::up(&topology, &given, &mut |step, took| {
        println!("{:>6.1} s  {step}", took.as_secs_f64());
    })?;
    let nodes = topology.nodes().iter().map(|node| node.name.as_str());
    state.places = nodes.map(|node| place(&rig, node, true)).collect();
    state.places.push(place(&rig, "outside", false));
    state.records = rig.records().to_owned();
    state.is_up = true;
    files.write(&state)?;
    rustix::stdio::dup2_stdout(fs::File::options().write(true).open("/dev/null")?)?;
    loop {
        thread::park();
    }
}

/// The topology of a plot, and the lines of its secrets-file where it has one.
fn read(path: &Path) -> Result<(Topology, BTreeMap<String, String>)> {
    let shown = path.display();
    let format = Format::from_path(path).ok_or_else(|| format!("{shown} is no TOML, JSON or YAML"))?;
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let built = Document::parse(format, &shown.to_string(), &text).and_then(|plot| Plot::read(&plot));
    let topology = built.map_err(|findings| findings.to_string())?.topology;
    if topology.plot().templates.is_some() {
        return Err("the rig knows no templates of a plot's own".into());
    }
    let mut secrets = BTreeMap::new();
    if let Some(file) = &topology.plot().secrets_file {
        let file = path.parent().unwrap_or(Path::new("/")).join(file);
        if let Ok(text) = fs::read_to_string(&file) {
            let (lines, _) = Dotenv::read(&file.display().to_string(), &text);
            secrets.extend(lines.iter().map(|(name, line)| (name.to_owned(), line.value().to_owned())));
        }
    }
    Ok((topology, secrets))
}

/// What it takes to run commands on a machine from another process.
fn place(rig: &Rig, name: &str, is_node: bool) -> Place {
    // A program that runs the one that is named by what follows.
    let command = rig.command(name, "env").expect("a machine of the rig");
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let environment = command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?))));
    let shown = rig.command(name, "ip").expect("a machine of the rig").args(SHOWN).output();
    let shown = shown.map(|shown| String::from_utf8_lossy(&shown.stdout).into_owned()).unwrap_or_default();
    let addresses = shown.lines().flat_map(|line| line.split_whitespace().skip(2));
    Place {
        name: name.to_owned(),
        is_node,
        addresses: addresses.filter(|word| word.contains('/')).map(str::to_owned).collect(),
        words: words.map(text).collect(),
        environment: environment.collect(),
    }
}

const SHOWN: [&str; 7] = ["-brief", "address", "show", "dev", "eth0", "scope", "global"];

//! Several machines on one: `tests/rig` says how it is used.
//!
//! What is up belongs to a process of its own, the keeper, that `up` starts and whose
//! number the names of all that it made carry. To take a rig down is to kill its keeper
//! and to sweep, which is what happens to a killed test run as well; so it makes no
//! difference how far the keeper had come, or who killed it.

mod keep;
mod state;

use std::env;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use self::state::{Files, State};

/// What a rig may take to come up where nothing else is said.
const DEADLINE: Duration = Duration::from_secs(300);

const USAGE: &str = "\
Several machines on one, as root: a plot with all its machines, brought up from what
is rendered, and an outside that plays the Internet.

  tests/rig up PLOT                      brings it up
      --deadline SECONDS                 … within 300 unless said
      --app SERVICE=COMMAND              … with a service that the user starts; an
                                         echo of what it is asked plays it otherwise
  tests/rig status                       what is up, and how its containers are
  tests/rig run NODE|outside [COMMAND…]  runs a command there, or a shell
  tests/rig down                         removes all that `up` made

Each takes --name NAME, for several rigs side by side. Secrets are made up, but for
those that the plot's secrets-file has; commands find them in their environment.";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments: Vec<_> = env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("up") => up(arguments.split_off(1)),
        Some("down") => down(arguments.split_off(1)),
        Some("status") => status(arguments.split_off(1)),
        Some("run") => run(arguments.split_off(1)),
        Some("keep") => keep::keep(&arguments.split_off(1)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    done.unwrap_or_else(|problem| {
        eprintln!("rig: {problem}");
        ExitCode::FAILURE
    })
}

fn up(mut arguments: Vec<String>) -> Result<ExitCode> {
    let name = option(&mut arguments, "--name")?;
    let deadline = option(&mut arguments, "--deadline")?;
    let deadline = deadline.map_or(Ok(DEADLINE), |seconds| seconds.parse().map(Duration::from_secs));
    let deadline = deadline.map_err(|_| "--deadline takes a number of seconds")?;
    let mut apps = Vec::new();
    while let Some(app) = option(&mut arguments, "--app")? {
        app.contains('=').then_some(()).ok_or("--app takes SERVICE=COMMAND")?;
        apps.push(app);
    }
    let [plot] = arguments.as_slice() else { return Err("up takes one PLOT".into()) };
    let plot = fs::canonicalize(plot).map_err(|error| format!("{plot}: {error}"))?;
    let files = Files::named(name.as_deref())?;
    if files.is_kept()? {
        let shown = files.read().map_or_else(|_| "it comes up".to_owned(), |state| state.plot);
        return Err(format!("there is a rig already ({shown}): tests/rig down, or another --name").into());
    }
    files.clear()?;
    files.prepare()?;

    let began = Instant::now();
    let log = fs::File::create(&files.log)?;
    let mut keeper = Command::new(env::current_exe()?)
        .arg("keep")
        .arg(&files.name)
        .arg(&plot)
        .args(apps)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    let told = follow(&mut keeper, began + deadline);
    if told.is_ok() && files.read().is_ok_and(|state| state.is_up) {
        println!("up after {:.1} s", began.elapsed().as_secs_f64());
        print!("{}", files.read()?.summary());
        return Ok(ExitCode::SUCCESS);
    }
    let _ = keeper.kill();
    let _ = keeper.wait();
    eprint!("{}", fs::read_to_string(&files.log).unwrap_or_default());
    // Another one's where two were started at once.
    if files.read().is_ok_and(|state| state.pid == keeper.id()) {
        files.clear()?;
    }
    told?;
    Err("it did not come up; all that was made is gone again".into())
}

/// Shows what the keeper tells until it has no more to tell.
fn follow(keeper: &mut Child, end: Instant) -> Result<()> {
    let (tell, told) = channel();
    let lines = BufReader::new(keeper.stdout.take().ok_or("no output")?).lines();
    // Ends with the keeper's output, or with us.
    thread::spawn(move || lines.map_while(std::io::Result::ok).try_for_each(|line| tell.send(line)));
    loop {
        match told.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => println!("{line}"),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => return Err("the deadline has passed".into()),
        }
        std::io::stdout().flush()?;
    }
}

fn down(mut arguments: Vec<String>) -> Result<ExitCode> {
    let files = Files::named(option(&mut arguments, "--name")?.as_deref())?;
    none(&arguments)?;
    match files.clear()? {
        true => println!("down"),
        false => println!("nothing was up"),
    }
    Ok(ExitCode::SUCCESS)
}

fn status(mut arguments: Vec<String>) -> Result<ExitCode> {
    let files = Files::named(option(&mut arguments, "--name")?.as_deref())?;
    none(&arguments)?;
    let state = kept(&files)?;
    print!("{}", state.summary());
    let mut well = true;
    for place in state.places.iter().filter(|place| place.is_node) {
        println!("\n{}", place.name);
        let format = "{{.Label \"com.docker.compose.service\"}}\t{{.Status}}";
        let shown = place.command().args(["docker", "ps", "--all", "--format", format]).output()?;
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        well &= shown.lines().all(|line| line.ends_with("(healthy)"));
        shown.lines().for_each(|line| println!("  {line}"));
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(mut arguments: Vec<String>) -> Result<ExitCode> {
    let name = match arguments.first().map(String::as_str) {
        // What stands behind the place is the command's own.
        Some("--name") => option(&mut arguments, "--name")?,
        _ => None,
    };
    let state = kept(&Files::named(name.as_deref())?)?;
    if arguments.is_empty() {
        return Err("run takes NODE or outside, and a COMMAND".into());
    }
    let place = arguments.remove(0);
    let place = state.places.iter().find(|known| known.name == place).ok_or_else(|| {
        let known: Vec<_> = state.places.iter().map(|place| place.name.as_str()).collect();
        format!("there is no {place}, but {}", known.join(", "))
    })?;
    if arguments.is_empty() {
        arguments.push("bash".to_owned());
    }
    Err(place.command().args(arguments).exec().into())
}

fn kept(files: &Files) -> Result<State> {
    match files.is_kept()? {
        true => Ok(files.read().ok().filter(|state| state.is_up).ok_or("the rig is still coming up")?),
        false => Err("no rig is up".into()),
    }
}

/// Takes an option and its value out of the arguments.
fn option(arguments: &mut Vec<String>, name: &str) -> Result<Option<String>> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    if at + 1 == arguments.len() {
        return Err(format!("{name} takes a value").into());
    }
    arguments.remove(at);
    Ok(Some(arguments.remove(at)))
}

fn none(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => Ok(()),
        [first, ..] => Err(format!("what is {first}?\n\n{USAGE}").into()),
    }
}

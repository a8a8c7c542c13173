//! The command line.

use clap::{Parser, Subcommand, ValueEnum};

use crate::command;
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::screen;

/// Reads the command line and does what it says.
pub(crate) fn run() -> Exit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return told(&error),
    };
    args.color.apply();
    match args.command.run() {
        Ok(exit) => exit,
        Err(failure) => {
            screen::talk(&failure.draw());
            failure.exit()
        }
    }
}

/// Models a self-hosted LiveKit stack in one file, stageplot.toml, and renders
/// every machine's configuration from it.
#[derive(Parser)]
#[command(name = "stageplot", version, max_term_width = 100, after_long_help = exit::help(), arg_required_else_help = true)]
pub(crate) struct Args {
    /// When to use colour: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: Color,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(command::init::Init),
    Check(command::check::Check),
    Pin(command::pin::Pin),
    Render(command::render::Render),
    Seal(command::seal::Seal),
    Diff(command::diff::DiffArgs),
    Show(command::show::Show),
    Try(command::tryout::Try),
    Verify(command::verify::Verify),
    Doctor(command::doctor::Doctor),
    Status(command::vitals::Status),
    Resources(command::vitals::Resources),
    Performance(command::vitals::Performance),
    Watch(command::watch::Watch),
    Serve(command::serve::Serve),
    Witness(command::witness::Witness),
    #[command(hide = true)]
    NodeChecks(command::node_checks::NodeChecks),
    Explain(command::explain::Explain),
    Schema(command::schema::Schema),
    Completions(command::completions::Completions),
    Man(command::man::Man),
}

impl Command {
    fn run(&self) -> Result<Exit, Failure> {
        match self {
            Self::Init(init) => init.run(),
            Self::Check(check) => check.run(),
            Self::Pin(pin) => pin.run(),
            Self::Render(render) => render.run(),
            Self::Seal(seal) => seal.run(),
            Self::Diff(diff) => diff.run(),
            Self::Show(show) => show.run(),
            Self::Try(trial) => trial.run(),
            Self::Verify(verify) => verify.run(),
            Self::Doctor(doctor) => doctor.run(),
            Self::Status(status) => status.run(),
            Self::Resources(resources) => resources.run(),
            Self::Performance(performance) => performance.run(),
            Self::Watch(watch) => watch.run(),
            Self::Serve(serve) => serve.run(),
            Self::Witness(witness) => witness.run(),
            Self::NodeChecks(checks) => checks.run(),
            Self::Explain(explain) => explain.run(),
            Self::Schema(schema) => schema.run(),
            Self::Completions(completions) => completions.run(),
            Self::Man(man) => man.run(),
        }
    }
}

/// What a program reads, or a person.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// When to use colour.
#[derive(Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    fn apply(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// Prints what clap has to say: help and the version to stdout, mistakes to
/// stderr.
fn told(error: &clap::Error) -> Exit {
    let text = error.render().ansi().to_string();
    if error.use_stderr() {
        screen::talk(&text);
        return Exit::Failed;
    }
    match screen::data(&text) {
        Ok(()) => Exit::Well,
        Err(failure) => {
            screen::talk(&failure.draw());
            failure.exit()
        }
    }
}

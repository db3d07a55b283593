//! The program `pneumoscope-screen`: wiring only.

use anyhow::{Context, Result, bail};
use base::config::{ConfigError, Configuration};
use clap::{Parser, Subcommand};
use screen::config::Config;
use screen::pin::Pin;
use screen::server::{Plan, serve};
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLES: &str = "\
Examples:
  pneumoscope-screen serve                      the pages, as /etc/pneumoscope/screen.toml says
  pneumoscope-screen check-config               what it would find of its configuration
  sudo pneumoscope-screen set-pin               asks for the PIN of this site, and keeps its hash
  sudo pneumoscope-screen set-pin < pin.txt     the same from a file
  sudo pneumoscope-screen fingerprint           what a browser is to compare the certificate by

Exit codes:
  0  done, or ended by SIGTERM or SIGINT
  1  it cannot be done; the reason is on standard error
  2  the command line is wrong
  5  the configuration is wrong

It supports a decision; it is not a diagnosis.";

/// Shows what a Pneumoscope device shows, as pages for a browser.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    /// Configuration; without the file at the default place, every value is its default.
    #[arg(long, value_name = "FILE", global = true, default_value = DEFAULT)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

const DEFAULT: &str = "/etc/pneumoscope/screen.toml";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages until SIGTERM.
    Serve,
    /// Check the configuration, and that what others can reach has a PIN.
    CheckConfig,
    /// Ask for the PIN of this site and keep its hash, which the next start takes.
    SetPin,
    /// Show the certificate's fingerprint; one is made where there is none.
    Fingerprint,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pneumoscope-screen: {error:#}");
            ExitCode::from(if error.is::<ConfigError>() { 5 } else { 1 })
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let config = match cli.config.as_path() {
        path if path == Path::new(DEFAULT) && !path.exists() => Config::default(),
        path => Config::load(path)?,
    };
    match cli.command {
        Command::Serve => until_stopped(Plan::new(config)?),
        Command::CheckConfig => {
            let addresses: Vec<String> = config.server.listen.iter().map(ToString::to_string).collect();
            Plan::new(config)?;
            println!("{}: good, listens on {}", cli.config.display(), addresses.join(", "));
            Ok(())
        }
        Command::SetPin => {
            let path = Pin::new(&ask()?)?.write(&config.access.folder)?;
            println!("{}: written; restart the screen to have it taken", path.display());
            Ok(())
        }
        Command::Fingerprint => {
            println!("{}", screen::server::identity(&config)?.fingerprint());
            Ok(())
        }
    }
}

/// The PIN, from a terminal twice and unseen, else one line of standard input.
fn ask() -> Result<String> {
    if !stdin().is_terminal() {
        let mut line = String::new();
        stdin().read_line(&mut line).context("cannot read the PIN from standard input")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let failed = "cannot read the PIN from the terminal";
    let pin = rpassword::prompt_password("PIN: ").context(failed)?;
    if rpassword::prompt_password("PIN again: ").context(failed)? != pin {
        bail!("expected the same PIN twice; nothing was changed");
    }
    Ok(pin)
}

fn until_stopped(plan: Plan) -> Result<()> {
    // One thread, and a second one for what waits for a disk or hashes a PIN: memory stays small.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .thread_stack_size(512 << 10)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .context("cannot start")?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupted = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let mut service = base::service::Service::from_environment();
        let ready = |lines: &[String]| {
            lines.iter().for_each(|line| println!("{line}"));
            // Where nobody listens to it, it serves all the same.
            let _ = base::service::Service::from_environment().ready();
        };
        let serving = serve(plan, ready, |now_ms| {
            let _ = service.alive(now_ms);
        });
        tokio::select! {
            ended = serving => ended.map_err(Into::into),
            _ = terminated.recv() => Ok(()),
            _ = interrupted.recv() => Ok(()),
        }
    })
}

//! Secrets that a program prints: `["sops", "decrypt", …]`, `["pass", …]`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::failure::reason;
use crate::process::{self, Bounds};

/// What the program prints, less one newline at its end.
///
/// Its input is closed. Its standard error is ours: a program that has something to
/// say says it to the operator, and it is never part of an error of ours.
///
/// It takes no longer than a command may, and not beyond `until`, when those of a whole
/// plot are to be over.
pub(super) fn output(words: &[String], dir: &Path, until: Instant) -> Result<SecretString, String> {
    let left = until.saturating_duration_since(Instant::now());
    if left < SHORTEST {
        let program = words.first().map_or("", String::as_str);
        let together = TOGETHER.as_secs();
        return Err(format!(
            "{program} was not run: the commands before it took the {together} seconds that all have together"
        ));
    }
    output_within(left.min(DEADLINE), words, dir)
}

fn output_within(deadline: Duration, words: &[String], dir: &Path) -> Result<SecretString, String> {
    let [program, arguments @ ..] = words else { return Err("the command is empty".to_owned()) };
    // A path is relative to the plot, as other paths in it are; a bare name is
    // looked up.
    let path = match program.contains('/') {
        true => std::path::absolute(dir.join(program)).map_err(|error| reason(&error))?,
        false => program.into(),
    };
    let mut command = Command::new(path);
    command
        .args(arguments)
        .current_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { dir })
        .stdin(Stdio::null());
    let (bytes, status) = process::output(&mut command, Bounds { deadline, output: LIMIT })
        .map_err(|why| format!("{program} {why}"))?;
    if !status.success() {
        return Err(format!("{program} failed: {status}"));
    }
    super::file::trimmed(bytes, program)
}

/// How long the programs of a plot may take together.
pub(super) const TOGETHER: Duration = Duration::from_secs(60);

/// With less time than this none is run.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long a program may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The most bytes that a program may print.
const LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::thread;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn sh(deadline: u64, script: &str) -> Result<String, String> {
        let words = ["sh", "-c", script].map(str::to_owned);
        let secret = output_within(Duration::from_secs(deadline), &words, Path::new("/"));
        secret.map(|secret| secret.expose_secret().to_owned())
    }

    fn soon() -> Instant {
        Instant::now() + TOGETHER
    }

    #[test]
    fn those_that_hang_do_not_add_up() {
        let words = ["sleep", "60"].map(str::to_owned);
        let (started, until) = (Instant::now(), Instant::now() + Duration::from_secs(2));
        let first = output(&words, Path::new("/"), until).expect_err("it hangs");
        assert!(first.contains("took more than"), "{first}");
        let others: Vec<_> = (0..20).filter_map(|_| output(&words, Path::new("/"), until).err()).collect();
        assert!(others.len() == 20 && others[0].contains("sleep was not run"), "{others:?}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    /// Whether a process is there; one that was killed may wait for init to reap it.
    fn is_alive(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.starts_with(" Z"))
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        assert_eq!(sh(10, "printf 'a b\\n'").as_deref(), Ok("a b"));
        assert_eq!(sh(10, "printf ' a\\n\\n'").as_deref(), Ok(" a\n"));
        assert_eq!(sh(10, "cat; pwd").as_deref(), Ok("/"), "its input is closed");
    }

    #[test]
    fn no_error_says_what_it_printed() {
        for (script, why) in [
            ("echo hunter2; exit 3", "failed: exit status: 3"),
            ("printf 'hunter2\\377'", "gives no UTF-8"),
            ("true", "gives nothing"),
            ("exec yes hunter2", "more than 1 MiB"),
            ("echo hunter2; sleep 60", "took more than 1 seconds"),
            ("echo hunter2; exec >&-; sleep 60", "took more than 1 seconds"),
        ] {
            let error = sh(1, script).expect_err(script);
            assert!(error.contains(why) && !error.contains("hunter2"), "{script}: {error}");
        }
        let error = output(&["no-such-program".to_owned()], Path::new(""), soon()).expect_err("not there");
        assert_eq!(error, "no-such-program cannot be run: no such file or directory");
    }

    #[test]
    fn what_it_leaves_running_is_killed_too() {
        let dir = tempfile::tempdir().expect("a directory");
        let pid = dir.path().join("pid");
        let cases =
            [("sleep 60 >&- & echo $! >PID; echo x", 20, true), ("sleep 60 & echo $! >PID; wait", 1, false)];
        for (script, deadline, ok) in cases {
            let script = script.replace("PID", &pid.display().to_string());
            assert_eq!(sh(deadline, &script).is_ok(), ok);
            let left = std::fs::read_to_string(&pid).expect("its number");
            let end = Instant::now() + Duration::from_secs(5);
            while is_alive(left.trim()) {
                assert!(Instant::now() < end, "{left} is alive");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    #[test]
    fn a_path_is_relative_to_the_plot() {
        let dir = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink("/bin/echo", dir.path().join("get")).expect("a program");
        let words = ["./get", "it"].map(str::to_owned);
        assert_eq!(
            output(&words, dir.path(), soon()).map(|s| s.expose_secret().to_owned()).as_deref(),
            Ok("it")
        );
    }
}

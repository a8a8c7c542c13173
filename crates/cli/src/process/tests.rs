use super::*;

/// A shell that is talked to, and what it printed, line by line.
fn talk(script: &str, told: &str, bounds: Bounds) -> (Result<Ended, String>, Vec<String>) {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut heard = Vec::new();
    let run = Run::start(&mut command, bounds).expect("a shell");
    let ended = run.talk(told.into(), |line| heard.push(String::from_utf8_lossy(line).into_owned()));
    (ended, heard)
}

const BOUNDS: Bounds = Bounds { deadline: Duration::from_secs(30), output: 1 << 20 };

#[test]
fn lines_come_whole_and_the_last_words_are_kept() {
    let script = "cat; printf 'no end'; echo first >&2; echo ' last ' >&2; echo >&2; exit 3";
    let (ended, heard) = talk(script, "one\ntwo\n", BOUNDS);
    assert_eq!(heard, ["one\n", "two\n", "no end"]);
    let ended = ended.expect("an end");
    assert_eq!((ended.status.code(), ended.last_words.as_deref()), (Some(3), Some("last")));
}

/// More than the pipes hold, both ways.
#[test]
fn neither_side_waits_for_the_other() {
    let told = "0123456789\n".repeat(50_000);
    let script = "head -c 500000 /dev/zero | tr '\\0' 'e' >&2; cat; echo >&2; echo done >&2";
    let (ended, heard) = talk(script, &told, BOUNDS);
    assert_eq!(ended.expect("an end").last_words.as_deref(), Some("done"));
    assert_eq!(heard.len(), 50_000);
    // One that takes nothing.
    let (ended, heard) = talk("echo well", &told, BOUNDS);
    assert!(ended.expect("an end").status.success());
    assert_eq!(heard, ["well\n"]);
}

/// What it started holds its pipes open, and is ended with it.
#[test]
fn it_is_over_at_the_deadline() {
    let bounds = Bounds { deadline: Duration::from_secs(3), ..BOUNDS };
    let (ended, heard) = talk("sleep 600 & echo $!; sleep 600", "", bounds);
    assert_eq!(ended.err().as_deref(), Some("took more than 3 seconds"));
    let child: i32 = heard[0].trim().parse().expect("a pid");
    // Dead, though nobody may have reaped it yet.
    let stat = || std::fs::read_to_string(format!("/proc/{child}/stat"));
    let gone = || stat().map_or(true, |stat| stat.contains(") Z "));
    let until = Instant::now() + BOUNDS.deadline;
    while !gone() {
        assert!(Instant::now() < until, "{child} lives on");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn who_prints_without_end_is_stopped() {
    let (ended, heard) = talk("cat /dev/zero", "", BOUNDS);
    assert_eq!(ended.err().as_deref(), Some("printed more than 1 MiB"));
    assert!(heard.is_empty(), "no line was whole");
}

//! The text of a `.env` file.

use stageplot_topology::dotenv::Dotenv;
use stageplot_topology::{Code, Severity};

#[test]
fn values_are_read_as_a_shell_reads_them() {
    let text = "\u{feff}# comment\r\n  export A = one two # three\r\nB='$x # \"y\" \\'\r\nC=\"a\\\"b\\\\c\\$d\\n\"  # e\n\
        D=#f\nE=g#h\nF=\nexport F\nG='it'\\''s'\nH=$A/${E}/${Z:-z}/${F:-f}/${F-f}\nI='two\r\nlines'\nJ=密码\nK=a\nK=b\nL=100$ ok\n";
    let (env, findings) = Dotenv::read("x", text);
    let expected = [
        ("A", "one two"),
        ("B", "$x # \"y\" \\"),
        ("C", "a\"b\\c$d\\n"),
        ("D", "#f"),
        ("E", "g#h"),
        ("F", ""),
        ("G", "it's"),
        ("H", "one two/g#h/z/f/"),
        ("I", "two\nlines"),
        ("J", "密码"),
        ("K", "b"),
        ("L", "100$ ok"),
    ];
    assert_eq!(env.iter().map(|(name, v)| (name, v.value())).collect::<Vec<_>>(), expected);
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::EnvDuplicate], "{findings}");
    let span = env.get("K").expect("set").span();
    assert_eq!((span.line, span.column, &text[span.start..span.end]), (15, 1, "K=b"));
    let span = env.get("A").expect("set").span();
    assert_eq!((span.line, span.column), (2, 10));
}

#[test]
fn lines_that_can_not_be_read_are_named_and_the_others_are_read() {
    let text = "A='open\nB=1\n1X=2\nC=\"a\" b\njust words\nD=$(id)`id`$$\nE=\"x\nF=2\n";
    let (env, findings) = Dotenv::read("x", text);
    let lines = |code| -> Vec<_> {
        findings.iter().filter(|f| f.code == code).filter_map(|f| Some(f.location.span?.line)).collect()
    };
    assert_eq!(lines(Code::Syntax), [1, 3, 4, 5, 7], "{findings}");
    assert_eq!(lines(Code::EnvChanged), [6]);
    assert_eq!(env.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["B", "D", "F"]);
    assert_eq!(env.get("D").map(|v| v.value()), Some("$(id)`id`$$"));
    assert!(findings.iter().all(|f| f.severity >= Severity::Warning));
    let doubling: String = (0..40).map(|i| format!("A{}=$A{i}$A{i}\n", i + 1)).collect();
    let (_, findings) = Dotenv::read("x", &format!("A0=xxxxxxxxxxxxxxxx\n{doubling}"));
    assert!(findings.has_errors());
    let (_, findings) = Dotenv::read("x", &"A=1\n".repeat(1 << 19));
    assert!(findings.has_errors());
}

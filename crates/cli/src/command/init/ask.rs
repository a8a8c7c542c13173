//! What `stageplot init` asks on a terminal.

use std::io::BufRead;
use std::net::IpAddr;

use clap::ValueEnum as _;
use stageplot_topology::{HostName, Name};

use super::preset::Preset;
use crate::failure::{Failure, reason};

/// Asks which plot, and for what is in it; `say` puts the questions.
pub(super) fn plot(input: &mut impl BufRead, say: impl Fn(&str)) -> Result<String, Failure> {
    say("Enter takes what is in brackets; all of it can be changed in the file later.\n\n");
    let presets = Preset::value_variants();
    for (number, preset) in presets.iter().enumerate() {
        let value = preset.to_possible_value();
        let help = value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string);
        let name = value.as_ref().map_or("", |value| value.get_name());
        say(&format!("  {}  {name:<8} {}\n", number + 1, help.unwrap_or_default()));
    }
    let preset = answer(input, &say, "Which of these", "1", |text| {
        let number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let preset = number.and_then(|index| presets.get(index).copied());
        preset.or_else(|| Preset::from_str(text, true).ok()).ok_or("one of these, by number or name")
    })?;
    let mut text = preset.text().to_owned();
    let mut answers = Vec::new();
    for question in preset.questions() {
        let answer = answer(input, &say, question.text, question.example, |text| (question.check)(text))?;
        // An answer may be another question's example, so it is put in last. In quotes an example
        // is one whole value of the preset.
        let mark = format!("\"\0{}\"", answers.len());
        text = text.replace(&format!("\"{}\"", question.example), &mark);
        answers.push((mark, format!("\"{answer}\"")));
    }
    Ok(answers.iter().fold(text, |text, (mark, answer)| text.replace(mark, answer)))
}

/// What is asked about a preset.
struct Question {
    text: &'static str,
    /// What the preset has, and Enter takes.
    example: &'static str,
    /// Reads an answer, or says what it should be.
    check: fn(&str) -> Result<String, &'static str>,
}

impl Preset {
    fn questions(self) -> Vec<Question> {
        let name = |text, example| Question { text, example, check: stack };
        let domain = |text, example| Question { text, example, check: domain };
        let address = |text, example| Question { text, example, check: address };
        let mut questions = vec![
            name("What the stack is called", "live"),
            domain("The domain that clients use", "livekit.example.com"),
        ];
        match self {
            Self::Single => questions.push(address("The machine's address on the Internet", "203.0.113.10")),
            Self::Pair => questions.extend([
                network("The private network of the machines", "192.168.1.0/24"),
                address("Address of Caddy's machine in it", "192.168.1.1"),
                address("Its address on the Internet", "203.0.113.10"),
                address("Address of LiveKit's machine in the private network", "192.168.1.2"),
                address("Its address on the Internet", "203.0.113.11"),
            ]),
            Self::Cluster => questions.extend([
                network("The private network of the machines", "192.168.1.0/24"),
                address("Address of Caddy's machine in it", "192.168.1.1"),
                address("Its address on the Internet", "203.0.113.10"),
                address("Address of the first LiveKit machine in the private network", "192.168.1.2"),
                address("Its address on the Internet", "203.0.113.11"),
                address("Address of the second one", "192.168.1.3"),
                address("Its address on the Internet", "203.0.113.12"),
                address("Address of the third one", "192.168.1.4"),
                address("Its address on the Internet", "203.0.113.13"),
            ]),
        }
        questions
    }
}

fn network(text: &'static str, example: &'static str) -> Question {
    let check = |text: &str| match text.parse::<stageplot_topology::Source>() {
        Ok(stageplot_topology::Source::Net(net)) => Ok(net.to_string()),
        _ => Err("an address range, such as 10.0.0.0/24"),
    };
    Question { text, example, check }
}

fn stack(text: &str) -> Result<String, &'static str> {
    text.parse::<Name>().map(|name| name.to_string()).map_err(|_| "lower-case letters, digits and hyphens")
}

fn domain(text: &str) -> Result<String, &'static str> {
    text.parse::<HostName>().map(|name| name.to_string()).map_err(|_| "a name such as livekit.example.com")
}

fn address(text: &str) -> Result<String, &'static str> {
    text.parse::<IpAddr>().map(|address| address.to_string()).map_err(|_| "an IPv4 or IPv6 address")
}

/// Asks until the answer is one.
fn answer<T>(
    input: &mut impl BufRead,
    say: &impl Fn(&str),
    question: &str,
    example: &str,
    check: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<T, Failure> {
    loop {
        say(&format!("{question} [{example}]: "));
        let mut line = String::new();
        let read = input.read_line(&mut line);
        let read =
            read.map_err(|error| Failure::new(format!("failed to read the answer: {}", reason(&error))))?;
        if read == 0 {
            say("\n");
            return Err(Failure::new("no answer: standard input was closed").help("nothing was written"));
        }
        let text = Some(line.trim()).filter(|text| !text.is_empty()).unwrap_or(example);
        match check(text) {
            Ok(answer) => return Ok(answer),
            Err(expected) => say(&format!("That is not {expected}.\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_take_the_place_of_examples() {
        // The first two addresses are each other's examples; one answer is mistyped at first.
        let answers = "pair\n\nrtc.example.org\n10.0.0.0/24\n10.0.0.2\n203.0.113.11\n\
                       10.0.0\n10.0.0.1\n203.0.113.10\n";
        let text = plot(&mut answers.as_bytes(), |_| ()).expect("a plot");
        for line in [
            "name = \"live\"",
            "domain = \"rtc.example.org\"",
            "cidr = \"10.0.0.0/24\"",
            "address = \"10.0.0.2\"\npublic = \"203.0.113.11\"\nroles = [\"edge\"]",
            "address = \"10.0.0.1\"\npublic = \"203.0.113.10\"",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn every_question_is_about_something_in_the_preset() {
        for preset in Preset::value_variants() {
            for question in preset.questions() {
                let quoted = format!("\"{}\"", question.example);
                assert_eq!(preset.text().matches(&quoted).count(), 1, "{preset:?}: {}", question.text);
                assert_eq!((question.check)(question.example).as_deref(), Ok(question.example));
            }
        }
    }

    #[test]
    fn the_end_of_the_input_is_no_answer() {
        assert!(plot(&mut "1\n".as_bytes(), |_| ()).is_err());
    }
}

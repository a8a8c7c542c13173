//! What `stageplot init` asks on a terminal.

use std::io::BufRead;
use std::net::IpAddr;

use clap::ValueEnum as _;
use stageplot_topology::{HostName, Name, Source};

use super::preset::Preset;
use crate::failure::{Failure, reason};

/// Asks which plot, and for what is in it; `say` puts the questions.
pub(super) fn plot(input: &mut impl BufRead, say: impl Fn(&str)) -> Result<String, Failure> {
    let mut ask = Dialogue { input, say };
    (ask.say)("Enter takes what is in brackets; all of it can be changed in the file later.\n\n");
    let preset = ask.preset()?;
    let mut draft = Answers { text: preset.text().to_owned(), given: Vec::new() };
    let name = ask.answer("What the stack is called", Some("live"), stack)?;
    draft.put("live", name);
    let domain = ask.answer("The domain that clients use", Some("livekit.example.com"), domain)?;
    draft.put("livekit.example.com", domain);
    let ssh = ask.answer("Where you come from by SSH: an address, a range, or any", Some("any"), source)?;
    draft.put("any", ssh);
    if preset == Preset::Single {
        let public =
            ask.answer("The machine's address on the Internet", Some(&public_example(0)), address)?;
        draft.put(&public_example(0), public.to_string());
        return Ok(draft.text());
    }
    let media = match preset {
        Preset::Cluster => ask.answer("How many LiveKit machines", Some("3"), count)?,
        _ => 1,
    };
    if preset == Preset::Cluster {
        draft.text = with_media(&draft.text, media);
    }
    let network = ask.answer("The private network of the machines", Some(NETWORK), network)?;
    draft.put(NETWORK, network.to_string());
    let (mut privates, mut publics) = (Vec::new(), Vec::new());
    for machine in 0..=media {
        let whose = match (machine, media) {
            (0, _) => "Caddy's machine".to_owned(),
            (1, 1) => "LiveKit's machine".to_owned(),
            (number, _) => format!("LiveKit machine {number}"),
        };
        let free = network.hosts().find(|host| !privates.contains(host)).map(|host| host.to_string());
        let question = format!("Address of {whose} in it");
        let private = ask.answer(&question, free.as_deref(), |text| {
            let private = unused(text, &privates)?;
            match network.contains(&private) {
                true => Ok(private),
                false => Err(format!("{private} is not in {network}")),
            }
        })?;
        // Nobody's own addresses follow from one another; examples do.
        let example = public_example(machine);
        let is_example = |(number, given): (usize, &IpAddr)| given.to_string() == public_example(number);
        let are_examples = publics.iter().enumerate().all(is_example);
        let default = are_examples.then_some(example.as_str());
        let public = ask.answer("Its address on the Internet", default, |text| unused(text, &publics))?;
        draft.put(&private_example(machine), private.to_string());
        draft.put(&example, public.to_string());
        privates.push(private);
        publics.push(public);
    }
    Ok(draft.text())
}

/// Questions and answers.
struct Dialogue<'a, R, S> {
    input: &'a mut R,
    say: S,
}

impl<R: BufRead, S: Fn(&str)> Dialogue<'_, R, S> {
    fn preset(&mut self) -> Result<Preset, Failure> {
        let presets = Preset::value_variants();
        for (number, preset) in presets.iter().enumerate() {
            let value = preset.to_possible_value();
            let help = value.as_ref().and_then(|value| value.get_help()).map(ToString::to_string);
            let name = value.as_ref().map_or("", |value| value.get_name());
            (self.say)(&format!("  {}  {name:<8} {}\n", number + 1, help.unwrap_or_default()));
        }
        self.answer("Which of these", Some("1"), |text| {
            let number = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let preset = number.and_then(|index| presets.get(index).copied());
            let preset = preset.or_else(|| Preset::from_str(text, true).ok());
            preset.ok_or_else(|| "That is not one of these, by number or name".to_owned())
        })
    }

    /// Asks until the answer is one; `check` says why it is not.
    fn answer<T>(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        loop {
            match default {
                Some(default) => (self.say)(&format!("{question} [{default}]: ")),
                None => (self.say)(&format!("{question}: ")),
            }
            let mut line = String::new();
            let read = self.input.read_line(&mut line);
            let read =
                read.map_err(|error| Failure::new(format!("failed to read the answer: {}", reason(&error))))?;
            if read == 0 {
                (self.say)("\n");
                return Err(Failure::new("no answer: standard input was closed").help("nothing was written"));
            }
            let text = Some(line.trim()).filter(|text| !text.is_empty()).or(default);
            match check(text.unwrap_or_default()) {
                Ok(answer) => return Ok(answer),
                Err(why) => (self.say)(&format!("{why}.\n")),
            }
        }
    }
}

/// A preset, and what takes the place of its examples.
struct Answers {
    text: String,
    given: Vec<(String, String)>,
}

impl Answers {
    /// Puts an answer in the place of an example, which in quotes is one whole
    /// value of the preset.
    fn put(&mut self, example: &str, answer: String) {
        // An answer may be another question's example, so it is put in last.
        let mark = format!("\"\0{}\"", self.given.len());
        self.text = self.text.replace(&format!("\"{example}\""), &mark);
        self.given.push((mark, format!("\"{answer}\"")));
    }

    fn text(self) -> String {
        self.given.iter().fold(self.text, |text, (mark, answer)| text.replace(mark, answer))
    }
}

/// The cluster with another number of LiveKit machines.
fn with_media(text: &str, count: usize) -> String {
    let parts = text
        .split_once("[nodes.media-2]")
        .and_then(|(before, rest)| Some((before, rest.split_once("[edge]")?.1)));
    let Some((before, after)) = parts else { return text.to_owned() };
    let mut text = before.to_owned();
    for number in 2..=count {
        text.push_str(&format!(
            "[nodes.media-{number}]\naddress = \"{}\"\npublic = \"{}\"\nroles = [\"livekit\"]\n\n",
            private_example(number),
            public_example(number)
        ));
    }
    text + "[edge]" + after
}

const NETWORK: &str = "192.168.1.0/24";

/// A preset's example of a machine's address in the private network.
fn private_example(machine: usize) -> String {
    format!("192.168.1.{}", machine + 1)
}

/// A preset's example of a machine's address on the Internet.
fn public_example(machine: usize) -> String {
    format!("203.0.113.{}", machine + 10)
}

fn stack(text: &str) -> Result<String, String> {
    let name = text.parse::<Name>().map(|name| name.to_string());
    name.map_err(|_| "That is not a name of lower-case letters, digits and hyphens".to_owned())
}

fn domain(text: &str) -> Result<String, String> {
    let name = text.parse::<HostName>().map(|name| name.to_string());
    name.map_err(|_| "That is not a name such as livekit.example.com".to_owned())
}

fn source(text: &str) -> Result<String, String> {
    match text.parse::<Source>() {
        Ok(source @ (Source::Any | Source::Net(_))) => Ok(source.to_string()),
        _ => Err("Write an address such as 198.51.100.7, a range such as 198.51.100.0/24, or any".to_owned()),
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=MOST).contains(count))
        .ok_or_else(|| format!("Write a number from 1 to {MOST}"))
}

/// As many machines as there are examples of addresses, and answers by hand.
const MOST: usize = 99;

fn network(text: &str) -> Result<ipnet::IpNet, String> {
    match text.parse::<Source>() {
        Ok(Source::Net(net)) => Ok(net),
        _ => Err("That is not an address range, such as 10.0.0.0/24".to_owned()),
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "That is not an IPv4 or IPv6 address".to_owned())
}

fn unused(text: &str, used: &[IpAddr]) -> Result<IpAddr, String> {
    match address(text)? {
        taken if used.contains(&taken) => Err(format!("{taken} is another machine's")),
        free => Ok(free),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The plot, and what was said.
    fn dialogue(answers: &str) -> (String, String) {
        let said = RefCell::new(String::new());
        let text = plot(&mut answers.as_bytes(), |text| said.borrow_mut().push_str(text)).expect("a plot");
        (text, said.into_inner())
    }

    #[test]
    fn answers_take_the_place_of_examples() {
        // The two private addresses are each other's defaults; one answer is mistyped at first.
        let (text, said) = dialogue(
            "pair\n\nrtc.example.org\n198.51.100.0/24\n10.0.0.0/24\n10.0.0.2\n203.0.113.11\n10.0.0\n10.0.1.1\n\n\
             203.0.113.11\n203.0.113.10\n",
        );
        for line in [
            "name = \"live\"",
            "domain = \"rtc.example.org\"",
            "from = \"198.51.100.0/24\"",
            "cidr = \"10.0.0.0/24\"",
            "address = \"10.0.0.2\"\npublic = \"203.0.113.11\"\nroles = [\"edge\"]",
            "address = \"10.0.0.1\"\npublic = \"203.0.113.10\"",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        for line in [
            "That is not an IPv4 or IPv6 address.\n",
            "10.0.1.1 is not in 10.0.0.0/24.\n",
            "Address of LiveKit's machine in it [10.0.0.1]: ",
            "203.0.113.11 is another machine's.\n",
            // One's own addresses do not follow from one another.
            "Its address on the Internet: ",
        ] {
            assert!(said.contains(line), "{line} is not in\n{said}");
        }
    }

    #[test]
    fn a_cluster_has_as_many_machines_as_are_wanted() {
        let (three, _) = dialogue(&format!("cluster\n{}", "\n".repeat(13)));
        assert_eq!(three, Preset::Cluster.text());
        for (count, enters) in [(1, 5), (5, 13)] {
            let (text, said) =
                dialogue(&format!("cluster\n\n\n\n{count}\n10.9.0.0/24\n{}", "\n".repeat(enters - 1)));
            assert_eq!(text.matches("[nodes.media-").count(), count, "{text}");
            assert_eq!(text.matches("address = \"10.9.0.").count(), count + 1, "{said}\n{text}");
        }
    }

    #[test]
    fn every_example_is_in_the_preset() {
        for (preset, machines) in [(Preset::Single, 0), (Preset::Pair, 2), (Preset::Cluster, 4)] {
            let addresses =
                (0..machines).flat_map(|machine| [private_example(machine), public_example(machine)]);
            let examples = addresses.chain(["live", "livekit.example.com", "any"].map(str::to_owned));
            for example in examples.chain((machines > 0).then(|| NETWORK.to_owned())) {
                let quoted = format!("\"{example}\"");
                assert_eq!(preset.text().matches(&quoted).count(), 1, "{preset:?}: {example}");
            }
        }
        assert!(Preset::Single.text().contains(&format!("\"{}\"", public_example(0))));
    }

    #[test]
    fn the_end_of_the_input_is_no_answer() {
        assert!(plot(&mut "1\n".as_bytes(), |_| ()).is_err());
    }
}

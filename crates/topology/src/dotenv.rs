//! The shell scripts' `.env` files, made into one plot.
//!
//! The scripts were run on every machine, each with a `.env` of its own, and
//! nothing held the files against each other. [`import`] does, and writes down
//! what they describe together. What the files do not say is inferred by these
//! rules, and a finding (`env-inferred`) tells each time:
//!
//! **Who runs LiveKit.** Every machine that `NODES` or `CADDY_UPSTREAM` of any
//! file names. `localhost` is the machine whose file says it. `CADDY_UPSTREAM`
//! outweighs a `NODES` of only `localhost` beside it. Where no file has
//! `NODES`, its default is `localhost`: then it is the machines without
//! `DOMAIN`, those with `LIVEKIT_API_KEY` before others, or if all have
//! `DOMAIN`, all.
//!
//! **Who runs Caddy.** Of the machines with `DOMAIN` or `CADDY_UPSTREAM`: those
//! that run no LiveKit or have `CADDY_UPSTREAM`. If there is no such machine,
//! all of them: that is the documents' Caddy on every node.
//!
//! **Where Redis is.** Where `REDIS_HOST` says. `localhost` and `redis` are the
//! machine whose file says it, and on a machine with a Caddy alone they say
//! nothing. An address that is neither given nor named by a list of LiveKit
//! machines is somebody else's Redis. Where no file has `REDIS_HOST`, it is on
//! the LiveKit machine with the lowest address. `REDIS_SLAVE_OF` makes a replica.
//!
//! **What counts.** LiveKit's settings come from the machines that run it, and
//! from others where those say nothing; Redis' from the machine with the
//! primary, then from those that use it. Two different values among those are a
//! contradiction, and so are two keys of LiveKit's: they are the same on all
//! machines. Variables that are empty are not set.
//!
//! **Addresses.** One from a private range is a node's `address`, any other is
//! its `public`. LiveKit's own `NODE_IP`, where it is another, is its `public`,
//! which something in front of the machine translates.
//!
//! **Placeholders.** What the documents and LiveKit's own have where a value of
//! one's own belongs (`your_secret`, `changeme`, `<password>`, `devkey`) counts
//! as not set; a domain set aside for examples stays, and is told of.
//!
//! ```
//! use stageplot_topology::dotenv::{EnvFile, import};
//!
//! let text = "DOMAIN=live.example.com\nLIVEKIT_API_KEY=main\nREDIS_PASSWORD=correct-horse\n";
//! let import = import(&[EnvFile { address: "203.0.113.10".parse()?, name: "front.env", text }])?;
//! println!("{}", import.plot.to_toml()?); // the plot, without a secret in it
//! for finding in &import.findings {
//!     println!("{finding}"); // what was inferred, and what is missing
//! }
//! let asked: Vec<_> = import.secrets.missing().collect();
//! assert_eq!(asked, ["LIVEKIT_API_SECRET"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod addresses;
mod business;
mod livekit;
mod placeholder;
mod places;
mod reader;
mod redis;
mod secrets;
mod survey;
mod text;
mod variables;

use std::net::IpAddr;

pub use secrets::Secrets;
pub use text::{Dotenv, Variable};
pub use variables::{KnownVariable, Meaning};

use crate::{Code, Edge, FieldPath, Findings, HostName, Name, NodeSpec, Plot, PublicAddress, ServiceSpec};
use places::Places;
use redis::Cache;
use survey::Survey;

/// One machine's `.env` file.
///
/// See [`import`].
#[derive(Clone, Copy)]
pub struct EnvFile<'a> {
    /// The machine's address, as the other machines' files have it.
    pub address: IpAddr,
    /// What findings call the file.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What `.env` files describe.
///
/// See [`import`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Import {
    /// The plot. It names secrets and holds none.
    pub plot: Plot,
    /// The secrets, for a file of their own.
    pub secrets: Secrets,
    /// What is to be done (warnings), and what was inferred, changed or left
    /// out (information); no errors.
    pub findings: Findings,
}

/// Makes one plot of the `.env` files of one or several machines.
///
/// The order of the files does not matter. A finding about a line has a path of
/// the file's name and the variable, and a span of that file's text.
///
/// # Errors
///
/// All findings, where a file can not be read or two contradict each other.
///
/// ```
/// use stageplot_topology::dotenv::{EnvFile, import};
///
/// let front = EnvFile {
///     address: "203.0.113.10".parse()?,
///     name: "front.env",
///     text: "DOMAIN=live.example.com\n",
/// };
/// let media = EnvFile {
///     address: "203.0.113.11".parse()?,
///     name: "media.env",
///     text: "NODES=localhost\nREDIS_HOST=localhost\nLIVEKIT_API_KEY=main\nLIVEKIT_API_SECRET=0123456789abcdef0123456789abcdef\n",
/// };
/// let import = import(&[front, media])?;
/// assert!(import.plot.build().is_ok());
/// assert_eq!(import.plot.nodes["media"].roles.len(), 2);
/// assert!(import.secrets.render().contains("LIVEKIT_API_SECRET='0123"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn import(machines: &[EnvFile<'_>]) -> Result<Import, Findings> {
    let mut survey = Survey::new(machines);
    if survey.machines.is_empty() {
        return Err(survey.findings);
    }
    variables::review(&mut survey);
    let mut secrets = Secrets::default();
    let places = Places::infer(&mut survey);
    let domain = domain(&mut survey);
    let cache = Cache::infer(&mut survey, &places, &mut secrets);
    let names = names(&survey, &places, &cache);
    let livekit = livekit::livekit(&mut survey, &places, &names, domain.as_ref(), &mut secrets);
    let [edge_name, livekit_name, redis_name] = ["edge", "livekit", "redis"].map(fixed_name);
    let business =
        business::business_service(&mut survey, &places, domain.as_ref(), (&livekit_name, &livekit));
    addresses::edges(&mut survey, &places, &names);
    addresses::explain_told(&mut survey, &names);
    places.explain(&mut survey, &names);

    let mut plot = Plot::new(fixed_name("live"));
    plot.secrets_file = (!secrets.is_empty()).then(|| Secrets::FILE.to_owned());
    for (index, name) in names.iter().enumerate() {
        let address = survey.machines[index].address;
        let mut node = if addresses::is_public(address) {
            NodeSpec::public(address)
        } else {
            NodeSpec::private(address)
        };
        if node.public.is_none()
            && let Some(public) = addresses::told(&survey, index)
        {
            node.public = Some(PublicAddress { bound: false, ..PublicAddress::from(public) });
        }
        let has_redis = cache.primary == Some(index) || cache.replicas.contains(&index);
        let mut roles = vec![
            (&edge_name, places.has_edge(index)),
            (&livekit_name, places.has_livekit(index)),
            (&redis_name, has_redis),
        ];
        roles.extend(business.as_ref().map(|business| (&business.name, business.machine == index)));
        node.roles.extend(roles.into_iter().filter(|(_, has)| *has).map(|(role, _)| role.clone()));
        plot.nodes.insert(name.clone(), node);
    }
    let mut redis = cache.redis;
    if !cache.replicas.is_empty() {
        redis.primary.extend(cache.primary.map(|primary| names[primary].clone()));
    }
    if !places.edges.is_empty() {
        let edge = domain.map_or_else(Edge::default, Edge::new);
        plot.services.insert(edge_name, edge.into());
    }
    plot.services.insert(livekit_name, livekit.into());
    plot.services.insert(redis_name, redis.into());
    plot.services.extend(business.map(|business| (business.name, ServiceSpec::from(business.app))));

    let findings = survey.findings();
    if findings.has_errors() { Err(findings) } else { Ok(Import { plot, secrets, findings }) }
}

/// The name that clients use.
fn domain(survey: &mut Survey) -> Option<HostName> {
    let everyone = survey.everyone();
    let told = survey.agreed(&everyone, "DOMAIN", livekit::host_name);
    if told.is_none() && everyone.iter().all(|&m| survey.machines[m].value("DOMAIN").is_none()) {
        survey.findings.add(
            Code::EnvMissing,
            FieldPath::root().key("edge"),
            "no file has DOMAIN, so clients have no name to come to",
            "add [edge] with domain = \"…\", and \"edge\" to the roles of the machine that the name leads to",
        );
    }
    told.map(|told| told.value)
}

/// A name for each machine, by what it does; numbered in the order of the
/// addresses where several do the same.
fn names(survey: &Survey, places: &Places, cache: &Cache) -> Vec<Name> {
    let word = |machine: usize| match survey.machines.len() {
        1 => "main",
        _ if places.has_livekit(machine) => "media",
        _ if places.has_edge(machine) => "front",
        _ if cache.primary == Some(machine) || cache.replicas.contains(&machine) => "store",
        _ => "spare",
    };
    let words: Vec<_> = survey.everyone().into_iter().map(word).collect();
    let number = |index: usize| words[..=index].iter().filter(|word| **word == words[index]).count();
    let is_alone = |index: usize| words.iter().filter(|word| **word == words[index]).count() == 1;
    let name = |index: usize| match is_alone(index) {
        true => words[index].to_owned(),
        false => format!("{}-{}", words[index], number(index)),
    };
    (0..words.len()).map(|index| fixed_name(&name(index))).collect()
}

/// A name that is made here, of letters, digits and hyphens.
fn fixed_name(name: &str) -> Name {
    name.parse().expect("a short word, with a number or without")
}

//! Data that a change may lose, or leave behind.

use super::placement::{Here, Placement};
use super::{Impact, Reason};

/// Why data is at stake where this happens to a service's process.
pub(super) fn reasons(placement: &Placement<'_>, process: Impact) -> Vec<Reason> {
    let mut texts = Vec::new();
    match (&placement.before, &placement.after) {
        (Some(before), Some(after)) => {
            texts.extend(primary(placement, before, after));
            texts.extend(persistence(before, after, process));
            texts.extend(other_redis(placement, before, after));
            if keeps_its_own(before) && !after.is_lost {
                texts.extend(mounts(before, after));
                texts.extend(directory(before, after));
                texts.extend(image(before, after));
                texts.extend(locale(before, after));
                texts.extend(names(before, after));
                texts.extend(user(before, after));
            }
        }
        (Some(before), None) => {
            if keeps_its_own(before) {
                texts.extend(left_behind(before));
            }
            // Where nothing is kept on disk, what is in memory goes with the process.
            if forgets(before) {
                texts.push("it keeps nothing on disk: every room is forgotten".to_owned());
            }
        }
        (None, Some(after)) => texts.extend(arrived(placement, after)),
        (None, None) => {}
    }
    texts.into_iter().map(|text| Reason::new(Impact::DataAtStake, text)).collect()
}

/// Whether it has data that nobody else has: not a copy of a primary's, and not what an edge
/// can ask its authority for again.
fn keeps_its_own(here: &Here<'_>) -> bool {
    here.service.kind != "edge" && !here.is_replica() && !here.data().is_empty()
}

/// Whether it is a Redis whose data goes with its process.
fn forgets(here: &Here<'_>) -> bool {
    here.service.persistence.as_deref() == Some("none") && !here.is_replica()
}

/// The primary is another node.
fn primary(placement: &Placement<'_>, before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    let (old, new) = (before.service.primary.as_deref()?, after.service.primary.as_deref()?);
    if placement.names.node(old) == new {
        return None;
    }
    let had_copy = before.service.nodes.iter().any(|node| placement.names.node(node) == new);
    let inherits = match had_copy {
        true => format!("{new} was a replica, and what it has not copied by then is lost"),
        false => empty(new, old),
    };
    if before.node == old {
        // One that writes on when the other begins a history of its own cannot follow it.
        let first = match before.service.kind.as_str() {
            "postgres" if had_copy => format!(
                "; first stop it here, or it cannot follow (docker compose --project-name {} stop {})",
                before.summary.name, before.name
            ),
            "redis" if !had_copy => format!("; {old} then copies from it, and loses what it has"),
            _ => String::new(),
        };
        return Some(format!("the primary moves to {new}; {inherits}{first}"));
    }
    if after.node == new {
        return Some(format!("the primary moves here from {old}; {inherits}"));
    }
    // A replica takes over what its primary has, and that is nothing.
    (!had_copy).then(|| {
        format!(
            "it copies from {new}, which starts empty, and so loses the last copy there is: make {} the \
             primary first",
            after.node
        )
    })
}

/// A Redis that comes to a node as the primary.
fn arrived(placement: &Placement<'_>, after: &Here<'_>) -> Option<String> {
    let old = placement.elsewhere_before?.primary.as_deref()?;
    let is_primary = after.service.primary.as_deref() == Some(after.node);
    is_primary.then(|| format!("the primary moves here from {old}; {}", empty(after.node, old)))
}

/// That a primary has nothing, and how it would have.
fn empty(new: &str, old: &str) -> String {
    format!(
        "{new} had no copy, and starts empty: to keep what there is, first make {new} a replica beside {old}, \
         and the primary once it has copied"
    )
}

/// What it keeps on disk, or what it reads from there at its start, is something else.
fn persistence(before: &Here<'_>, after: &Here<'_>, process: Impact) -> Option<String> {
    if before.is_replica() || process < Impact::Restart {
        return None;
    }
    let (old, new) = (before.service.persistence.as_deref()?, after.service.persistence.as_deref());
    let text = match (old, new) {
        ("none", _) => "it keeps nothing on disk: every room is forgotten when it is recreated",
        (_, Some("none")) => "persistence is switched off: from now on every restart forgets every room",
        ("snapshots", Some("aof")) => {
            "persistence goes from snapshots to aof: Redis starts from the log alone, which is not there yet, \
             and so empty; switch it on in the running one first (CONFIG SET appendonly yes)"
        }
        ("aof", Some("snapshots")) => {
            "persistence goes from aof to snapshots: Redis starts from the last snapshot, and the log after it \
             is not read"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// LiveKit's rooms are kept in another Redis, or in another database of it.
fn other_redis(placement: &Placement<'_>, before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    const PLACES: [&str; 5] = [
        "redis.address",
        "redis.db",
        "redis.cluster_addresses[]",
        "redis.sentinel_addresses[]",
        "redis.sentinel_master_name",
    ];
    if after.service.kind != "livekit" {
        return None;
    }
    let fields = placement.own_files().flat_map(|file| &file.fields);
    let changed: Vec<_> =
        fields.map(|field| field.path.as_str()).filter(|path| PLACES.contains(path)).collect();
    let (old, new) = (before.redis(), after.redis());
    // Another way to the same one is not another one.
    let same = old.is_some() && old.map(|name| placement.names.service(name)) == new;
    let moved = if same { changed == ["redis.db"] } else { !changed.is_empty() };
    moved.then(|| {
        "it finds rooms in another Redis database: those in the old one are not seen from the new one"
            .to_owned()
    })
}

/// What is mounted where.
fn mounts(before: &Here<'_>, after: &Here<'_>) -> Vec<String> {
    let now = after.data();
    let texts = before.data().into_iter().filter(|data| !now.contains(data)).map(|data| {
        let there = now.iter().find(|new| new.target == data.target);
        let elsewhere = now.iter().find(|new| new.directory == data.directory);
        match (there, elsewhere) {
            (Some(new), _) => format!(
                "{} is {} from now on, which is empty: the data stays in {}",
                data.target, new.directory, data.directory
            ),
            (None, Some(new)) => {
                format!("{} is mounted on {}, not on {}", data.directory, new.target, data.target)
            }
            (None, None) => format!("{} is not mounted any more: the data stays there", data.directory),
        }
    });
    texts.collect()
}

/// Where the stack lives on a machine.
fn directory(before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    let (old, new) = (&before.summary.directory, &after.summary.directory);
    (old != new).then(|| format!("its data stays in {old}/data, and {new}/data is empty"))
}

/// What stays when it goes.
fn left_behind(before: &Here<'_>) -> Option<String> {
    let directories: Vec<_> = before.data().iter().map(|data| data.directory).collect();
    Some(format!(
        "its data stays in {} on {}, where nothing uses it",
        directories
            .iter()
            .map(|directory| format!("{}/{directory}", before.summary.directory))
            .collect::<Vec<_>>()
            .join(", "),
        before.node
    ))
}

/// The program that has to read the data is another one.
fn image(before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    let (old, new) = (before.text("image")?, after.text("image")?);
    let ((old_name, old_tag), (new_name, new_tag)) = (split(old), split(new));
    if old_name != new_name {
        return Some(format!("another program reads its data: {new}, not {old}"));
    }
    let (was, is) = (version(old_tag)?, version(new_tag)?);
    if before.service.kind == "postgres" && was[0] != is[0] {
        return Some(format!(
            "Postgres {} does not start with what {} wrote: write a dump of it first (pg_dumpall), which the new \
             one reads",
            is[0], was[0]
        ));
    }
    let known = was.len().min(is.len());
    match is[..known].cmp(&was[..known]) {
        std::cmp::Ordering::Less => Some(format!(
            "the image goes back from {old_tag} to {new_tag}, which may not read what the newer one wrote"
        )),
        std::cmp::Ordering::Greater if was[0] != is[0] => Some(format!(
            "the image goes from {old_tag} to {new_tag}, and there may be no way back once that has written"
        )),
        _ => None,
    }
}

/// The images of Alpine and of Debian sort texts by different rules.
fn locale(before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    let of_alpine = |here: &Here<'_>| Some(split(here.text("image")?).1.contains("alpine"));
    let differs = before.service.kind == "postgres" && of_alpine(before)? != of_alpine(after)?;
    differs.then(|| {
        "the images of Alpine and of Debian sort texts by different rules: an index over texts finds less than \
         there is until it is made anew (REINDEX DATABASE)"
            .to_owned()
    })
}

/// What Postgres makes once, where it has no data yet.
fn names(before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    let (old, new) = (before.service, after.service);
    let text = |what: &str, old: &Option<String>, new: &Option<String>, rename: &str| {
        let (old, new) = (old.as_ref()?, new.as_ref()?);
        (old != new).then(|| {
            format!(
                "the {what} {new} is made only where there is no data yet: first stop what uses {old}, and rename \
                 it ({rename} \"{old}\" RENAME TO \"{new}\")"
            )
        })
    };
    let texts = [
        text("database", &old.database, &new.database, "ALTER DATABASE"),
        text("user", &old.user, &new.user, "ALTER ROLE"),
    ];
    let texts: Vec<_> = texts.into_iter().flatten().collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// An image's own name, wherever it is pulled from, and its tag.
fn split(image: &str) -> (&str, &str) {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').unwrap_or((last, ""))
}

/// The numbers that a tag begins with: `v7.2-alpine` is 7, 2.
fn version(tag: &str) -> Option<Vec<u64>> {
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let numbers = tag.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let numbers: Option<Vec<_>> = numbers.split('.').map(|number| number.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// Who has to read the data is another user.
fn user(before: &Here<'_>, after: &Here<'_>) -> Option<String> {
    let (old, new) = (before.text("user"), after.text("user"));
    let name = |user: Option<&str>| user.unwrap_or("the image's own user").to_owned();
    (old != new).then(|| format!("{} has to read what {} wrote", name(new), name(old)))
}

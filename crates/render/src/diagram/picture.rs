//! What there is to draw, before anybody says where: boxes, and arrows from
//! box to box.

use std::collections::{BTreeMap, BTreeSet};

use stageplot_topology::{
    Attachment, Node, NodeId, Party, PlacementId, PortRange, Protocol, Redis, Service, ServiceId,
    ServiceSpec, Topology,
};

/// With more groups than this, services are drawn by kind: a picture of a
/// hundred different boxes tells nobody anything.
const MAX_GROUPS: usize = 16;

/// A topology to be drawn.
pub(super) struct Picture {
    pub(super) title: String,
    /// The picture in words.
    pub(super) words: String,
    /// From the clients inwards, then by name.
    pub(super) groups: Vec<Group>,
    pub(super) cards: Vec<Card>,
    pub(super) arrows: Vec<Arrow>,
}

/// Nodes with the same roles.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) subtitle: String,
}

/// A box: a party, or a service on a group of nodes.
pub(super) struct Card {
    pub(super) name: String,
    pub(super) detail: String,
    /// What its placements send each other.
    pub(super) notes: Vec<String>,
    pub(super) place: Place,
    pub(super) column: usize,
}

/// Where a card belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside, before everything: those who connect.
    Party,
    /// On a group of nodes.
    Group(usize),
    /// Outside, behind everything: what others run.
    Elsewhere,
}

/// Columns from left to right: who connects, edges, what does the work, data.
pub(super) const COLUMNS: usize = 4;

/// Flows between two cards.
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Protocols and ports: `tcp 80, 443 · udp 443`.
    pub(super) label: String,
    pub(super) reasons: BTreeSet<String>,
}

/// What is drawn as one card on a node: a service, or all of one kind; a
/// replica is not a primary.
type Role = (String, bool);

impl Picture {
    pub(super) fn new(topology: &Topology) -> Self {
        let by_service = |service: &Service| service.name.to_string();
        let by_kind = |service: &Service| service.kind.kind().to_owned();
        let mut groups = group(topology, &by_service);
        let by_kinds = groups.len() > MAX_GROUPS;
        if by_kinds {
            groups = group(topology, &by_kind);
        }
        let mut ordered: Vec<_> = groups.into_iter().collect();
        let column = |role: &Role| match by_kinds {
            true => column(&role.0),
            false => topology.service_named(&role.0).map_or(2, |service| self::column(service.kind.kind())),
        };
        ordered.sort_by_key(|(roles, nodes)| (roles.iter().map(column).min(), nodes.first().copied()));

        let mut draft = Draft {
            topology,
            cards: Vec::new(),
            of: BTreeMap::new(),
            parties: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
        };
        let mut groups = Vec::new();
        for (roles, nodes) in &ordered {
            for role in roles {
                draft.add_service(role, column(role), groups.len(), nodes, by_kinds);
            }
            groups.push(title(topology, nodes));
        }
        let arrows = draft.arrows();
        let title = format!("Stage plot of {}", topology.name());
        let words = words(&draft.cards, &arrows);
        Self { title, words, groups, cards: draft.cards, arrows }
    }
}

/// Nodes by their roles.
fn group(topology: &Topology, name: &dyn Fn(&Service) -> String) -> BTreeMap<BTreeSet<Role>, Vec<NodeId>> {
    let mut groups: BTreeMap<BTreeSet<Role>, Vec<NodeId>> = BTreeMap::new();
    for node in topology.nodes() {
        let roles = topology.placements_on(node.id).map(|placement| {
            let service = topology.service(placement.service);
            (name(service), is_replica(service, placement.id))
        });
        let roles: BTreeSet<_> = roles.collect();
        groups.entry(roles).or_default().push(node.id);
    }
    groups.remove(&BTreeSet::new());
    groups
}

fn is_replica(service: &Service, placement: PlacementId) -> bool {
    service.primary.is_some_and(|primary| primary != placement)
}

fn column(kind: &str) -> usize {
    match kind {
        "edge" | "prometheus" => 1,
        "redis" | "postgres" => 3,
        _ => 2,
    }
}

fn title(topology: &Topology, nodes: &[NodeId]) -> Group {
    let name = |id: NodeId| topology.node(id).name.as_str();
    let (title, subtitle) = match nodes {
        [one] => (name(*one).to_owned(), addresses(topology.node(*one))),
        [first, second] => (format!("{}, {}", name(*first), name(*second)), String::new()),
        [first, .., last] => (format!("{} … {} ({})", name(*first), name(*last), nodes.len()), String::new()),
        [] => (String::new(), String::new()),
    };
    Group { title, subtitle }
}

/// A node's first private and first public address.
fn addresses(node: &Node) -> String {
    let private = node.addresses.first().map(|address| address.ip.to_string());
    let public = node.public.and_then(|public| public.addresses().next()).map(|ip| ip.to_string());
    [private, public].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Cards while they are collected.
struct Draft<'a> {
    topology: &'a Topology,
    cards: Vec<Card>,
    /// The card of each placement.
    of: BTreeMap<PlacementId, usize>,
    parties: BTreeMap<Party, usize>,
    elsewhere: BTreeMap<ServiceId, usize>,
}

impl Draft<'_> {
    fn add_service(&mut self, role: &Role, column: usize, group: usize, nodes: &[NodeId], by_kinds: bool) {
        let mut services: BTreeSet<ServiceId> = BTreeSet::new();
        let card = self.cards.len();
        for placement in nodes.iter().flat_map(|&node| self.topology.placements_on(node)) {
            let service = self.topology.service(placement.service);
            let name = if by_kinds { service.kind.kind() } else { service.name.as_str() };
            if name == role.0 && is_replica(service, placement.id) == role.1 {
                services.insert(service.id);
                self.of.insert(placement.id, card);
            }
        }
        let detail = match services.first().map(|&id| self.topology.service(id)) {
            Some(_) if services.len() > 1 => format!("{} services", services.len()),
            Some(service) => detail(self.topology, service, role.1),
            None => String::new(),
        };
        let place = Place::Group(group);
        self.cards.push(Card { name: role.0.clone(), detail, notes: Vec::new(), place, column });
    }

    fn party(&mut self, party: Party) -> usize {
        let next = self.cards.len();
        *self.parties.entry(party).or_insert_with(|| {
            let name = match party {
                Party::Internet => "Internet".to_owned(),
                party => self.topology.party_name(party),
            };
            let detail = match party {
                Party::Internet => "anybody",
                Party::Operator => "by SSH",
                _ => "whoever is in it",
            };
            self.cards.push(Card {
                name,
                detail: detail.to_owned(),
                notes: Vec::new(),
                place: Place::Party,
                column: 0,
            });
            next
        })
    }

    fn cards_of(&self, placements: &[PlacementId]) -> BTreeSet<usize> {
        placements.iter().filter_map(|at| self.of.get(at).copied()).collect()
    }

    /// The card of a service that others run.
    fn elsewhere(&mut self, service: &Service) -> usize {
        let next = self.cards.len();
        *self.elsewhere.entry(service.id).or_insert_with(|| {
            self.cards.push(Card {
                name: service.name.to_string(),
                detail: detail(self.topology, service, false),
                notes: Vec::new(),
                place: Place::Elsewhere,
                column: column(service.kind.kind()),
            });
            next
        })
    }

    /// Every flow between cards; flows between the same two are one arrow.
    fn arrows(&mut self) -> Vec<Arrow> {
        let topology = self.topology;
        let mut ports: BTreeMap<(usize, usize), Ports> = BTreeMap::new();
        for flow in topology.flows() {
            let endpoint = topology.endpoint(flow.to);
            let targets = match endpoint.is_elsewhere() {
                true => [self.elsewhere(topology.service(endpoint.service))].into(),
                false => self.cards_of(&endpoint.at),
            };
            let own = flow.from == Party::Service(endpoint.service);
            let everywhere = endpoint.at.len() == topology.service(endpoint.service).placements.len();
            if own && everywhere {
                // Everybody to everybody: said in the boxes, or lines hide all else.
                let note = format!("each other: {} {}", endpoint.protocol, endpoint.ports);
                for card in targets.into_iter().filter(|_| endpoint.at.len() > 1) {
                    if !self.cards[card].notes.contains(&note) {
                        self.cards[card].notes.push(note.clone());
                    }
                }
                continue;
            }
            let sources = match flow.from {
                Party::Service(service) => self.cards_of(&topology.service(service).placements),
                party => [self.party(party)].into(),
            };
            for (&from, &to) in sources.iter().flat_map(|from| targets.iter().map(move |to| (from, to))) {
                if from != to {
                    ports.entry((from, to)).or_default().add(endpoint.protocol, endpoint.ports, &flow.reason);
                }
            }
        }
        let arrow = |((from, to), ports): ((usize, usize), Ports)| Arrow {
            from,
            to,
            label: ports.label(),
            reasons: ports.reasons,
        };
        ports.into_iter().map(arrow).collect()
    }
}

/// What runs there, in a few words.
fn detail(topology: &Topology, service: &Service, replica: bool) -> String {
    let several = service.placements.len() > 1;
    match &service.kind {
        ServiceSpec::Edge(edge) => match &edge.domain {
            Some(domain) => format!("Caddy · {domain}"),
            None => "Caddy".to_owned(),
        },
        ServiceSpec::Livekit(livekit) => format!("LiveKit {}", livekit.version),
        ServiceSpec::Redis(Redis { external: Some(remote), .. }) => {
            match (remote.sentinels.is_empty(), remote.cluster.is_empty()) {
                (false, _) => "Redis elsewhere, by Sentinel".to_owned(),
                (true, false) => "Redis Cluster elsewhere".to_owned(),
                (true, true) => "Redis elsewhere".to_owned(),
            }
        }
        ServiceSpec::Redis(_) if replica => "Redis · replica".to_owned(),
        ServiceSpec::Redis(_) if several => "Redis · primary".to_owned(),
        ServiceSpec::Redis(_) => "Redis".to_owned(),
        ServiceSpec::Postgres(postgres) => {
            let version = postgres.major_version().map(|major| format!(" {major}")).unwrap_or_default();
            match &postgres.external {
                Some(_) => "Postgres elsewhere".to_owned(),
                None if replica => format!("Postgres{version} · replica"),
                None if several => format!("Postgres{version} · primary"),
                None => format!("Postgres{version}"),
            }
        }
        ServiceSpec::Prometheus(_) => "Prometheus".to_owned(),
        ServiceSpec::Grafana(_) => "Grafana".to_owned(),
        ServiceSpec::IonSfu(_) => "ion-sfu".to_owned(),
        ServiceSpec::Ingress(_) => "LiveKit ingress".to_owned(),
        ServiceSpec::Egress(_) => "LiveKit egress".to_owned(),
        ServiceSpec::Sip(_) => "LiveKit SIP".to_owned(),
        ServiceSpec::Rtmp(_) => "nginx · RTMP".to_owned(),
        ServiceSpec::App(_) => {
            let attachment = service.placements.first().map(|&id| topology.placement(id).attachment);
            match attachment {
                Some(Attachment::OffDocker) => "app · started by you".to_owned(),
                _ => "app · container".to_owned(),
            }
        }
    }
}

/// The ports that an arrow leads to.
#[derive(Default)]
struct Ports {
    ports: BTreeSet<(Protocol, PortRange)>,
    reasons: BTreeSet<String>,
}

impl Ports {
    fn add(&mut self, protocol: Protocol, ports: PortRange, reason: &str) {
        self.ports.insert((protocol, ports));
        self.reasons.insert(reason.to_owned());
    }

    fn label(&self) -> String {
        /// So many ports are named; an arrow is not a table.
        const NAMED: usize = 4;
        let of = |protocol: Protocol| {
            let ports = self.ports.iter().filter(move |(own, _)| *own == protocol);
            let ports: Vec<_> = ports.map(|(_, ports)| ports.to_string()).collect();
            let rest = ports.len().saturating_sub(NAMED);
            let more = if rest > 0 { format!(", {rest} more") } else { String::new() };
            let named = ports.get(..NAMED).unwrap_or(&ports).join(", ");
            (!ports.is_empty()).then(|| format!("{protocol} {named}{more}"))
        };
        [of(Protocol::Tcp), of(Protocol::Udp)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// The picture in words, for those who do not see it.
fn words(cards: &[Card], arrows: &[Arrow]) -> String {
    let sentence = |arrow: &Arrow| {
        let (from, to) = (&cards[arrow.from].name, &cards[arrow.to].name);
        let reasons = arrow.reasons.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{from} to {to}: {} ({reasons})", arrow.label)
    };
    let sentences: BTreeSet<_> = arrows.iter().map(sentence).collect();
    sentences.into_iter().collect::<Vec<_>>().join("; ")
}

//! An etcd whose members a test can kill, pause and start anew.

use std::net::SocketAddr;

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::etcd::certificates::Certificates;
use crate::etcd::client::EtcdClient;
use crate::etcd::member::Member;
use crate::eventually::{PATIENCE, eventually};

/// The user that may do all, once [`Etcd::enable_auth`] was called.
const ROOT: (&str, &str) = ("root", "root-password");

/// How a test wants its etcd.
#[derive(Debug)]
#[must_use]
pub struct EtcdBuilder {
    members: usize,
    certificates: Option<Certificates>,
    arguments: Vec<String>,
}

/// An etcd. Its members, killed or not, end with this value, and what they stored is gone.
#[derive(Debug)]
pub struct Etcd {
    // Before the directory: a member is killed before its files are removed.
    members: Vec<Member>,
    certificates: Option<Certificates>,
    arguments: Vec<String>,
    has_auth: bool,
    _dir: TempDir,
}

// === impl EtcdBuilder ===

impl EtcdBuilder {
    /// 1 or 3; 1 by default.
    pub fn members(self, members: usize) -> Self {
        Self { members, ..self }
    }

    /// Envoys reach it by TLS, and only with a certificate of their own.
    pub fn tls(self) -> Self {
        Self {
            certificates: Some(Certificates::new()),
            ..self
        }
    }

    /// One more argument of each member's command line.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts all members, and waits until they take writes.
    pub async fn start(self) -> Etcd {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let members = (0..self.members).map(|index| Member::new(dir.path(), index));
        let mut etcd = Etcd {
            members: members.collect(),
            certificates: self.certificates,
            arguments: self.arguments,
            has_auth: false,
            _dir: dir,
        };
        etcd.start_all().await;
        etcd
    }
}

// === impl Etcd ===

impl Etcd {
    pub fn builder() -> EtcdBuilder {
        EtcdBuilder {
            members: 1,
            certificates: None,
            arguments: Vec::new(),
        }
    }

    /// One member.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Where Envoys reach the members.
    pub fn endpoints(&self) -> Vec<SocketAddr> {
        self.members.iter().map(|member| member.addr).collect()
    }

    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("an etcd with TLS")
    }

    /// A client of the first member that runs, as the user who may do all.
    pub fn client(&self) -> EtcdClient {
        let running = self.members.iter().position(Member::is_running);
        self.client_of(running.expect("a member that runs"))
    }

    pub fn client_of(&self, member: usize) -> EtcdClient {
        let client = EtcdClient::new(self.members[member].own);
        match self.has_auth {
            true => client.as_user(ROOT.0, ROOT.1),
            false => client,
        }
    }

    /// The address in the clear of the first member that runs.
    pub fn own_endpoint(&self) -> SocketAddr {
        let running = self.members.iter().find(|member| member.is_running());
        running.expect("a member that runs").own
    }

    pub fn pid(&self, member: usize) -> Option<u32> {
        self.members[member].pid()
    }

    /// At once, as a machine that dies; what it stored stays.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// It keeps its connections and answers nothing.
    pub fn pause(&self, member: usize) {
        self.members[member].signal(Signal::STOP);
    }

    pub fn resume(&self, member: usize) {
        self.members[member].signal(Signal::CONT);
    }

    /// Starts a member that was killed, with what it had stored, and waits until it takes part.
    pub async fn restart(&mut self, member: usize) {
        self.launch(member);
        self.wait_for(member).await;
    }

    /// Kills all that run and starts all with nothing stored.
    pub async fn restart_empty(&mut self) {
        for member in &mut self.members {
            member.kill();
            member.forget_data();
        }
        self.has_auth = false;
        self.start_all().await;
    }

    /// The member that leads.
    pub async fn leader(&self) -> usize {
        let leads = async |index: usize| {
            let status = self.client_of(index);
            let (status, answer) = status.try_call("/v3/maintenance/status", &json!({})).await;
            let (leader, own) = (&answer["leader"], &answer["header"]["member_id"]);
            status == 200 && leader.is_string() && leader == own
        };
        let found = || async {
            for (index, member) in self.members.iter().enumerate() {
                if member.is_running() && leads(index).await {
                    return Ok(index);
                }
            }
            Err("none".to_owned())
        };
        eventually("a leader of etcd", PATIENCE, found).await
    }

    /// Makes a user that may read and write what begins with `prefix`, and nothing else, and asks all for
    /// a password from now on.
    pub async fn enable_auth(&mut self, user: &str, password: &str, prefix: &str) {
        let client = self.client();
        let (key, range_end) = EtcdClient::range_of(prefix);
        let permission = json!({ "permType": "READWRITE", "key": key, "range_end": range_end });
        let steps = [
            ("user/add", json!({ "name": ROOT.0, "password": ROOT.1 })),
            ("role/add", json!({ "name": "root" })),
            ("user/grant", json!({ "user": ROOT.0, "role": "root" })),
            ("role/add", json!({ "name": "fleet" })),
            ("role/grant", json!({ "name": "fleet", "perm": permission })),
            ("user/add", json!({ "name": user, "password": password })),
            ("user/grant", json!({ "user": user, "role": "fleet" })),
            ("enable", json!({})),
        ];
        for (step, body) in steps {
            client.call(&format!("/v3/auth/{step}"), body).await;
        }
        self.has_auth = true;
    }

    /// Gives a user a password, the same one perhaps: no token that it has is good from now on.
    pub async fn revoke_tokens(&self, user: &str, password: &str) {
        let body = json!({ "name": user, "password": password });
        self.client().call("/v3/auth/user/changepw", body).await;
    }

    async fn start_all(&mut self) {
        for member in 0..self.members.len() {
            self.launch(member);
        }
        for member in 0..self.members.len() {
            self.wait_for(member).await;
        }
    }

    fn launch(&mut self, member: usize) {
        let arguments = self.arguments_of(&self.members[member]);
        self.members[member].start(&arguments);
    }

    async fn wait_for(&self, member: usize) {
        let client = self.client_of(member);
        let body = json!({ "key": "AA==" });
        let answers = || async {
            // Linearizable: it knows a leader who has a majority.
            match client.try_call("/v3/kv/range", &body).await {
                (200, _) => Ok(()),
                (status, answer) => Err(format!("{status}: {answer}")),
            }
        };
        let name = &self.members[member].name;
        eventually(&format!("etcd's {name} is ready"), 2 * PATIENCE, answers).await;
    }

    fn arguments_of(&self, member: &Member) -> Vec<String> {
        let Member {
            addr, own, peer, ..
        } = member;
        let scheme = match self.certificates {
            Some(_) => "https",
            None => "http",
        };
        let peers = self.members.iter();
        let peers = peers.map(|other| format!("{}=http://{}", other.name, other.peer));
        let peers = peers.collect::<Vec<_>>().join(",");
        let mut arguments = vec![
            format!("--listen-client-urls={scheme}://{addr},http://{own}"),
            format!("--advertise-client-urls={scheme}://{addr}"),
            format!("--listen-peer-urls=http://{peer}"),
            format!("--initial-advertise-peer-urls=http://{peer}"),
            format!("--initial-cluster={peers}"),
            "--log-level=warn".to_owned(),
            // A killed process loses nothing by it, and tests need no disk.
            "--unsafe-no-fsync".to_owned(),
        ];
        if let Some(certificates) = &self.certificates {
            let files = [
                ("cert-file", "server.crt"),
                ("key-file", "server.key"),
                ("trusted-ca-file", "ca.crt"),
            ];
            let path = |name| certificates.path(name).display().to_string();
            arguments.extend(files.map(|(option, name)| format!("--{option}={}", path(name))));
            arguments.push("--client-cert-auth".to_owned());
        }
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }
}

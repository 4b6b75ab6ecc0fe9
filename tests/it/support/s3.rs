//! A real S3 server in the test process: signatures, preconditions and checksums are its own.
//! Each test has a bucket of its own, behind a proxy of its own that can break things.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::Project;
use super::proxy::{Fault, Proxy};

/// The credentials that the server takes.
pub(crate) const KEY: &str = "AKIDTESTACCESSKEY";
pub(crate) const SECRET: &str = "t3st+S3cr3t/Acc3ssK3y";

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
static BUCKET_COUNT: AtomicUsize = AtomicUsize::new(0);

/// The server of all tests. Buckets are folders, objects are files.
struct Server {
    folder: TempDir,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let folder = TempDir::with_prefix("qik-s3-").unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        thread::spawn(move || {
            LocalSet::new().block_on(&runtime, async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((socket, _)) = listener.accept().await {
                    socket.set_nodelay(true).unwrap();
                    let service = service.clone();
                    tokio::task::spawn_local(async move {
                        let builder = Builder::new(TokioExecutor::new());
                        drop(builder.serve_connection(TokioIo::new(socket), service).await);
                    });
                }
            });
        });
        Self { folder, address }
    }
}

/// A bucket behind a proxy.
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) proxy: Proxy,
    /// What clients talk to.
    address: SocketAddr,
}

impl Bucket {
    pub(crate) fn new() -> Self {
        let number = BUCKET_COUNT.fetch_add(1, Ordering::Relaxed);
        let proxy = Proxy::start(SERVER.address);
        let address = proxy.address;
        let bucket = Self { name: format!("bucket-{number}"), proxy, address };
        fs::create_dir(bucket.folder()).unwrap();
        bucket
    }

    /// One that the server itself is asked for: the proxy passes on whole requests alone.
    pub(crate) fn without_proxy() -> Self {
        Self { address: SERVER.address, ..Self::new() }
    }

    /// Removes all objects.
    pub(crate) fn clear(&self) {
        fs::remove_dir_all(self.folder()).unwrap();
        fs::create_dir(self.folder()).unwrap();
    }

    fn folder(&self) -> PathBuf {
        SERVER.folder.path().join(&self.name)
    }

    /// Where clients find it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The configuration of a cache `remote`, with more options if there are any.
    pub(crate) fn toml(&self, options: &str) -> String {
        format!(
            "[caches.remote]\ntype = \"s3\"\nbucket = \"{}\"\nendpoint-url = \"{}\"\n\
             aws-access-key-id = \"{KEY}\"\naws-secret-access-key = \"{SECRET}\"\n{options}\n",
            self.name,
            self.endpoint(),
        )
    }

    /// A project with a committed `a.txt` and a command `hello` that is cached here; it prints
    /// `a.txt` and makes `out/a`.
    pub(crate) fn hello(&self, options: &str) -> Project {
        let project = Project::new();
        project.toml(&format!(
            "{}[commands.hello]\n\
             exec = \"{{tick hello}}; cat a.txt; mkdir -p out; cp a.txt out/a\"\n\
             deps = [\"a.txt\"]\nartifacts = [\"out/*\"]\ncache = \"remote\"\n",
            self.toml(options),
        ));
        project.file("a.txt", "content-of-a\n").commit();
        project
    }

    /// The same project with commands `c0`, `c1`, … instead.
    pub(crate) fn commands(&self, count: usize, options: &str) -> Project {
        let project = Project::new();
        let mut text = self.toml(options);
        for number in 0..count {
            text += &format!(
                "[commands.c{number}]\nexec = \"{{tick c{number}}}; echo {number}\"\n\
                 deps = [\"a.txt\"]\ncache = \"remote\"\n"
            );
        }
        project.toml(&text);
        project.file("a.txt", "content-of-a\n").commit();
        project
    }

    /// The keys of all objects.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut folders = vec![self.folder()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let key = path.strip_prefix(self.folder()).unwrap();
                    keys.push(key.to_str().unwrap().to_owned());
                }
            }
        }
        keys.sort();
        keys
    }

    /// The file of the only object.
    #[track_caller]
    pub(crate) fn only_object(&self) -> PathBuf {
        let keys = self.keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        self.folder().join(&keys[0])
    }

    /// Every request with this verb meets a fault.
    pub(crate) fn breaks(&self, verb: &'static str, fault: Fault) {
        self.proxy.rule(verb, fault, usize::MAX);
    }

    /// The next request with this verb meets a fault.
    pub(crate) fn breaks_once(&self, verb: &'static str, fault: Fault) {
        self.proxy.rule(verb, fault, 1);
    }

    /// The verbs of the requests since the last time, in order. Nothing was ever listed.
    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<String> {
        let heads = self.proxy.take_heads();
        for head in &heads {
            let path = head.split(' ').nth(1).unwrap();
            assert!(!path.contains("list-type"), "{head}");
            let parts = path.split('?').next().unwrap().trim_matches('/');
            assert!(parts.contains('/'), "a request for a bucket: {head}");
        }
        heads.iter().map(|head| head.split(' ').next().unwrap().to_owned()).collect()
    }
}

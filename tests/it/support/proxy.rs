//! A proxy in front of a server that breaks what it is told to, as networks and servers do.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a request meets.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The request is read, and nothing is ever answered.
    Stall,
    /// The answer's head, then a byte of the body now and then.
    Trickle,
    /// The connection is closed without an answer.
    Hangup,
    /// The connection is closed after so many bytes of the body.
    Cut(usize),
    /// The connection is reset after so many bytes of the body.
    Reset(usize),
    /// A bit of a byte of the body is another.
    Flip(usize),
    /// The body ends after so many bytes, as its length says.
    Short(usize),
    /// The length says more than there is.
    Long,
    /// A status with S3's word for it, and more lines of the head.
    Status(u16, &'static str, &'static str),
    /// A status with nothing that S3 would say.
    Bare(u16),
    /// A page for people, with the status of success.
    Page,
    /// Nothing, with the status of success.
    Nothing,
    /// Bytes that are no answer.
    Garbage,
    /// The answer, later.
    Delay(Duration),
    /// The server never hears of the request, but gets this instead of its body.
    Body(&'static [u8]),
}

struct Rule {
    verb: &'static str,
    fault: Fault,
    /// How many requests it is for.
    count: usize,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    heads: Vec<String>,
}

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                // A client that goes away ends its connection.
                thread::spawn(move || drop(serve(&client, server, &state)));
            }
        });
        Self { address, state }
    }

    pub(super) fn rule(&self, verb: &'static str, fault: Fault, count: usize) {
        self.state.lock().unwrap().rules.push(Rule { verb, fault, count });
    }

    /// From now on all is well.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// The heads of the requests since the last time.
    pub(crate) fn take_heads(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().heads)
    }
}

/// A head and a body, of a request or an answer.
struct Message {
    head: String,
    body: Vec<u8>,
}

fn serve(client: &TcpStream, server: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut upstream: Option<BufReader<TcpStream>> = None;
    let mut reader = BufReader::new(client.try_clone()?);
    loop {
        let Some(request) = read_message(&mut reader, client, "")? else { return Ok(()) };
        let verb = request.head.split(' ').next().unwrap().to_owned();
        let fault = note(state, &request.head, &verb);
        if let Some(fault @ (Fault::Stall | Fault::Hangup | Fault::Garbage)) = fault {
            return answer_badly(&fault, &mut reader, client);
        }
        let made = fault.as_ref().and_then(made_up);
        let answer = if let Some(mut answer) = made {
            if verb == "HEAD" {
                // A client would take it for the next answer.
                answer.body.clear();
            }
            answer
        } else {
            let upstream = match &mut upstream {
                Some(upstream) => upstream,
                None => upstream.insert(BufReader::new(TcpStream::connect(server)?)),
            };
            forward(&request, &verb, upstream)?
        };
        if !reply(client, answer, fault.as_ref())? {
            return Ok(());
        }
    }
}

/// Writes a request down; gives the fault that it meets.
fn note(state: &Mutex<State>, head: &str, verb: &str) -> Option<Fault> {
    let mut state = state.lock().unwrap();
    state.heads.push(head.to_owned());
    let rule =
        state.rules.iter_mut().find(|it| it.count > 0 && (it.verb == verb || it.verb == "*"));
    rule.map(|rule| {
        rule.count -= 1;
        rule.fault.clone()
    })
}

fn answer_badly(
    fault: &Fault,
    reader: &mut BufReader<TcpStream>,
    mut client: &TcpStream,
) -> std::io::Result<()> {
    match fault {
        // Until the client has had enough.
        Fault::Stall => reader.read_to_end(&mut Vec::new()).map(drop),
        Fault::Garbage => client.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n"),
        _ => Ok(()),
    }
}

/// An answer that no server gave.
fn made_up(fault: &Fault) -> Option<Message> {
    let message = |status: u16, lines: &str, body: &str| {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: {length}\r\n\r\n");
        Message { head, body: body.as_bytes().to_vec() }
    };
    match fault {
        Fault::Status(status, code, lines) => {
            let body = format!(
                "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message>\
                 <RequestId>R-42</RequestId></Error>"
            );
            let lines =
                format!("Content-Type: application/xml\r\nx-amz-request-id: R-42\r\n{lines}");
            Some(message(*status, &lines, &body))
        }
        Fault::Bare(status) => Some(message(*status, "", "")),
        Fault::Page => {
            let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
            Some(message(200, "Content-Type: text/html\r\n", page))
        }
        Fault::Nothing => Some(message(200, "", "")),
        _ => None,
    }
}

fn forward(
    request: &Message,
    verb: &str,
    upstream: &mut BufReader<TcpStream>,
) -> std::io::Result<Message> {
    // What proxies are asked has the whole address in its first line.
    let head = match request.head.split_once(" http://") {
        Some((verb, rest)) if request.head.starts_with(&format!("{verb} ")) => {
            let path = rest.find('/').unwrap();
            format!("{verb} {}", &rest[path..])
        }
        _ => request.head.clone(),
    };
    let mut stream = upstream.get_ref();
    stream.set_nodelay(true)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    loop {
        let client = upstream.get_ref().try_clone()?;
        let Some(answer) = read_message(upstream, &client, verb)? else {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        if !answer.head.starts_with("HTTP/1.1 100") {
            return Ok(answer);
        }
    }
}

/// Sends an answer as far as the fault lets it; gives whether the connection lives on.
fn reply(mut client: &TcpStream, answer: Message, fault: Option<&Fault>) -> std::io::Result<bool> {
    let Message { mut head, mut body } = answer;
    let with_length = |head: &str, length: usize| {
        let lines = head.trim_end().split("\r\n").filter(|it| !is_length(it));
        format!("{}\r\ncontent-length: {length}\r\n\r\n", lines.collect::<Vec<_>>().join("\r\n"))
    };
    match fault {
        Some(Fault::Delay(delay)) => thread::sleep(*delay),
        Some(Fault::Flip(position)) => {
            let position = position % body.len().max(1);
            body[position] ^= 0x20;
        }
        Some(Fault::Body(bytes)) => {
            body = bytes.to_vec();
            head = with_length(&head, body.len());
        }
        Some(Fault::Short(count)) => {
            body.truncate(*count);
            head = with_length(&head, body.len());
        }
        Some(Fault::Long) => head = with_length(&head, body.len() + 1000),
        _ => {}
    }
    client.write_all(head.as_bytes())?;
    match fault {
        Some(Fault::Trickle) => {
            for byte in body {
                client.write_all(&[byte])?;
                thread::sleep(Duration::from_millis(100));
            }
        }
        Some(Fault::Cut(count)) => {
            client.write_all(&body[..*count.min(&body.len())])?;
            return Ok(false);
        }
        Some(Fault::Reset(count)) => {
            client.write_all(&body[..*count.min(&body.len())])?;
            // With nothing to linger for, closing is resetting.
            rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO))?;
            return Ok(false);
        }
        Some(Fault::Long) => {
            client.write_all(&body)?;
            return Ok(false);
        }
        _ => client.write_all(&body)?,
    }
    Ok(true)
}

fn is_length(line: &str) -> bool {
    line.to_ascii_lowercase().starts_with("content-length:")
}

/// A whole message; `None` at the end of the connection. `verb` is that of the request if this is
/// its answer.
fn read_message(
    reader: &mut impl BufRead,
    mut client: &TcpStream,
    verb: &str,
) -> std::io::Result<Option<Message>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let lower = head.to_ascii_lowercase();
    let field = |name: &str| {
        let line = lower.split("\r\n").find(|line| line.starts_with(&format!("{name}:")));
        line.map(|line| line.split_once(':').unwrap().1.trim().to_owned())
    };
    if field("expect").is_some_and(|it| it == "100-continue") {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if field("transfer-encoding").is_some_and(|it| it == "chunked") {
        read_chunks(reader, &mut body)?;
        let lines = head.trim_end().split("\r\n");
        let lines = lines.filter(|it| !it.to_ascii_lowercase().starts_with("transfer-encoding"));
        let lines: Vec<_> = lines.collect();
        head = format!("{}\r\ncontent-length: {}\r\n\r\n", lines.join("\r\n"), body.len());
    } else if verb != "HEAD" {
        let length = field("content-length").map_or(0, |it| it.parse().unwrap());
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    }
    Ok(Some(Message { head, body }))
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        let start = body.len();
        body.resize(start + length, 0);
        reader.read_exact(&mut body[start..])?;
        reader.read_line(&mut String::new())?;
        if length == 0 {
            return Ok(());
        }
    }
}

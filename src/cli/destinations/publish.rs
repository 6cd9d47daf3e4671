//! The options of `--publish`, which stores events in a stream of a NATS server.

use std::sync::Arc;

use clap::Args;
use rand::RngExt;
use sha2::{Digest, Sha256};

use super::options::{DestinationContext, DestinationOptions, OpenDestination};
use crate::cli::args::{BrokerArgs, FilterArgs, PhiMode, PrivacyArgs};
use crate::cli::resolve::value::positive_duration;
use crate::delivery::{Destination, PublishConfig, Publisher};
use crate::error::{Error, Result};
use crate::output::status::{self, StatusFormat};
use crate::redact::Policy;
use crate::transport::broker::{Broker, BrokerAddress, BrokerConfig, CallBucket, SubjectPrefix};
use crate::transport::call_lease::CallLeases;
use crate::transport::client::Network;
use crate::transport::{Heartbeat, SourceConfig};

const PUBLISH: &str = "--publish";

const HEARTBEAT: &str = "--heartbeat";

/// The options of publishing.
#[derive(Debug, Args)]
#[command(next_help_heading = "Publishing")]
pub struct PublishArgs {
    /// Also store each printed event in a stream of a NATS server
    ///
    /// `nats://HOST[:PORT]/STREAM`, or `tls://` for TLS. Free text is masked in all outputs; see
    /// --publish-prose.
    #[arg(long, value_name = "URL", groups = ["remote", "broker"])]
    publish: Option<String>,
    /// Create the stream if the server has none of that name
    ///
    /// It keeps events for 7 days and at most 10 GiB, on disk, and recognises an event that is
    /// published again within 15 minutes.
    #[arg(long, requires = "publish")]
    create_stream: bool,
    /// Show and publish free text, with identifiers masked as without --publish
    #[arg(long, requires = "publish")]
    publish_prose: bool,
    /// Allow --reveal together with --publish
    #[arg(long, requires = "publish")]
    publish_revealed: bool,
    /// Name of this tap, which each message carries
    ///
    /// Default: a random name for this run.
    #[arg(long, value_name = "NAME", requires = "publish")]
    tap_name: Option<String>,
    /// Time between two messages that say what this tap has delivered
    #[arg(long, value_name = "DURATION", default_value = "15s", requires = "publish")]
    heartbeat: String,
}

impl PublishArgs {
    /// Adapts what is hidden to a store that others read, and checks that nothing else is published.
    ///
    /// # Errors
    ///
    /// Fails if hidden fields would be published unasked, or if pseudonyms would differ from run to
    /// run.
    pub(super) fn adapt(&mut self, privacy: &mut PrivacyArgs, status: StatusFormat) -> Result<()> {
        if self.publish.is_none() {
            return Ok(());
        }
        let what = "cannot use --publish";
        if privacy.phi == PhiMode::Hash && privacy.phi_key_file.is_none() {
            let why = "the key of pseudonyms is random, so each run and each tap would publish \
                       another pseudonym for the same value";
            return Err(Error::usage(what, why, "name a key with --phi-key-file"));
        }
        let is_revealed = !privacy.reveal.is_empty();
        if is_revealed && !self.publish_revealed {
            let why = "--reveal would publish fields that are hidden";
            let advice = "leave out --reveal, or allow it with --publish-revealed";
            return Err(Error::usage(what, why, advice));
        }
        if is_revealed && status != StatusFormat::None {
            status::report(&format!(
                "hidden fields are published (--publish-revealed): {}",
                privacy.reveal.join(", ")
            ));
        }
        privacy.hides_prose = !self.publish_prose;
        // The name is used more than once.
        self.tap_name.get_or_insert_with(|| format!("tap-{:08x}", rand::rng().random::<u32>()));
        Ok(())
    }

    /// Returns how this tap announces what it has delivered; `None` if it does not publish.
    pub(super) fn heartbeat(&self) -> Result<Option<Heartbeat>> {
        if self.publish.is_none() {
            return Ok(None);
        }
        let every = positive_duration(HEARTBEAT, &self.heartbeat)?;
        Ok(Some(Heartbeat { tap: Some(self.tap()?.into()), every }))
    }

    /// Opens the leases by which taps agree who observes a call; `None` if this tap does not
    /// publish.
    pub(super) async fn leases(
        &self,
        broker: &BrokerArgs,
        network: &Network,
    ) -> Result<Option<Arc<CallLeases>>> {
        let Some(url) = &self.publish else { return Ok(None) };
        let bucket = CallBucket::open(&self.broker(url, broker, network)?).await?;
        let run = rand::rng().random();
        Ok(Some(Arc::new(CallLeases::new(Box::new(bucket), &self.tap()?, run))))
    }

    fn broker(&self, url: &str, broker: &BrokerArgs, network: &Network) -> Result<BrokerConfig> {
        Ok(BrokerConfig {
            address: BrokerAddress::parse(PUBLISH, url, network.insecure_http)?,
            credentials: broker.nats_creds.clone(),
            ca_cert: network.ca_cert.clone(),
            prefix: SubjectPrefix::new("--subject-prefix", &broker.subject_prefix)?,
            creates_stream: self.create_stream,
        })
    }
}

impl DestinationOptions for PublishArgs {
    fn resolve(&self, context: &DestinationContext<'_>) -> Result<Option<OpenDestination>> {
        let Some(url) = &self.publish else { return Ok(None) };
        let broker = self.broker(url, context.broker, context.network)?;
        if context.source == Some(&*broker.address.name()) {
            let what = "cannot use --publish with --from";
            let why = "they name the same stream, in which each event would be stored again";
            return Err(Error::usage(what, why, "name another stream"));
        }
        let config = PublishConfig {
            prefix: broker.prefix.clone(),
            tap: self.tap()?,
            heartbeat: positive_duration(HEARTBEAT, &self.heartbeat)?,
            fingerprint: fingerprint(context.policy, context.filter),
            is_revealed: self.publish_revealed && !context.privacy.reveal.is_empty(),
            leases: context.leases.cloned(),
            status: context.status,
            random: SourceConfig::default().random,
        };
        Ok(Some(Box::new(|runtime| {
            Box::pin(async move {
                let broker = Broker::open(&broker).await?;
                Ok(Box::new(Publisher::new(broker, config, runtime)) as Box<dyn Destination>)
            })
        })))
    }
}

impl PublishArgs {
    fn tap(&self) -> Result<String> {
        let name = self.tap_name.as_deref().unwrap_or_default();
        let is_legal =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if (1..=64).contains(&name.len()) && name.bytes().all(is_legal) {
            return Ok(name.to_owned());
        }
        let why = "it is empty, long, or has other characters than letters, digits, -, _ and .";
        Err(Error::invalid_value("--tap-name", name, why, "give one such as tap-east"))
    }
}

/// Returns a hash of everything that decides which events are shown and how.
fn fingerprint(policy: &Policy, filter: &FilterArgs) -> String {
    let mut hash = Sha256::new();
    let mut add = |name: &str, values: &[String]| {
        for value in values {
            hash.update(format!("{name}\0{}\0{value}\0", value.len()));
        }
    };
    add("policy", &[policy.fingerprint()]);
    add("event", &filter.events);
    add("exclude", &filter.excludes);
    add("filter", &filter.filters);
    add("grep", filter.grep.as_slice());
    add("arg", &filter.args);
    add("argjson", &filter.json_args);
    let used = filter
        .named
        .iter()
        .filter(|(name, _)| filter.filters.iter().any(|text| text.contains(&format!("@{name}"))));
    for (name, expression) in used {
        add("named", &[name.clone(), expression.clone()]);
    }
    // A pipe can be read only once, so it counts by its name.
    if let Some(path) = &filter.filter_file {
        let is_file = path.is_file();
        let content = is_file.then(|| std::fs::read_to_string(path).unwrap_or_default());
        add("filter_file", &[content.unwrap_or_else(|| path.display().to_string())]);
    }
    let start = hash.finalize().iter().take(8).fold(0, |start, byte| start << 8 | u64::from(*byte));
    format!("{start:016x}")
}

//! Made-up images: digests that no registry has, with inventories of Python and Go packages of
//! real names, of versions that have no flaw with a fix. They are put into the gate's store in the
//! way in which an examination puts them there.

use std::path::Path;
use std::sync::Arc;

use cleanbill::assess::{Found, FoundPlatform};
use cleanbill::serve::config_file;
use cleanbill::store::{Owner, Store};
use cleanbill::wiring::Looking;
use cleanbill_core::digest::Digest;
use cleanbill_core::image::{ImageFacts, RunsAs};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::{LayerId, Package, PackageKind};
use cleanbill_core::platform::Platform;
use sha2::Digest as _;

use crate::Result;

/// Python distributions and Go modules that advisories speak of: each is looked up.
const PYTHON: &str = "aiohttp alembic anyio asgiref attrs babel bcrypt bleach boto3 botocore \
    cachetools celery certifi cffi chardet click cryptography cython django docutils fastapi \
    flask fonttools frozenlist fsspec gevent greenlet grpcio gunicorn h11 h2 httpcore httpx idna \
    jinja2 jmespath joblib jsonschema kombu lxml mako markdown markupsafe matplotlib mistune \
    msgpack multidict networkx nltk notebook numpy oauthlib openpyxl orjson packaging pandas \
    paramiko pillow pip protobuf psutil psycopg2 pyarrow pyasn1 pycparser pycryptodome pydantic \
    pygments pyjwt pymongo pymysql pyopenssl pyparsing pytest pytz pyyaml redis regex requests \
    rsa s3transfer scikit-learn scipy scrapy sentry-sdk setuptools simplejson six sqlalchemy \
    sqlparse starlette sympy tornado tqdm twisted typing-extensions tzdata ujson urllib3 uvicorn \
    virtualenv waitress websockets werkzeug wheel yarl zipp";
const GO: &str = "github.com/beorn7/perks github.com/cespare/xxhash/v2 \
    github.com/containerd/containerd github.com/coreos/go-oidc github.com/davecgh/go-spew \
    github.com/docker/distribution github.com/docker/docker github.com/emicklei/go-restful/v3 \
    github.com/fsnotify/fsnotify github.com/go-logr/logr github.com/gogo/protobuf \
    github.com/golang-jwt/jwt/v5 github.com/golang/protobuf github.com/google/go-cmp \
    github.com/google/uuid github.com/gorilla/mux github.com/gorilla/websocket \
    github.com/grpc-ecosystem/grpc-gateway github.com/hashicorp/consul github.com/json-iterator/go \
    github.com/opencontainers/image-spec github.com/opencontainers/runc github.com/pkg/errors \
    github.com/prometheus/client_golang github.com/sirupsen/logrus github.com/spf13/cobra \
    github.com/spf13/pflag go.etcd.io/bbolt go.opentelemetry.io/otel go.uber.org/zap \
    golang.org/x/crypto golang.org/x/exp golang.org/x/mod golang.org/x/net golang.org/x/oauth2 \
    golang.org/x/sync golang.org/x/sys golang.org/x/term golang.org/x/text golang.org/x/time \
    google.golang.org/grpc google.golang.org/protobuf gopkg.in/inf.v0 gopkg.in/yaml.v2 \
    gopkg.in/yaml.v3 k8s.io/api k8s.io/apimachinery k8s.io/client-go k8s.io/klog/v2 \
    sigs.k8s.io/structured-merge-diff/v4 sigs.k8s.io/yaml";

/// The name of image `n`, by digest.
pub fn name(n: usize) -> String {
    format!("registry.example/team-{}/app-{n:05}@{}", n % 40, digest("image", n))
}

fn digest(what: &str, n: usize) -> Digest {
    Digest::Sha256(sha2::Sha256::digest(format!("{what} {n}")).into())
}

/// Puts `count` images into the store that the configuration names. Nothing else may write it.
///
/// # Errors
/// When the configuration or the store cannot be used.
pub fn keep(config: &Path, count: usize) -> Result<()> {
    let text = std::fs::read_to_string(config)?;
    let config = config_file::parse(&text, config).map_err(|p| format!("{p:?}"))?;
    let store = Arc::new(Store::open(&config.state_dir, Owner::Gate)?);
    let looking = Looking::new(&config, Some(store))?;
    for n in 0..count {
        looking.keep(&name(n).parse()?, &found(n))?;
    }
    Ok(())
}

fn found(n: usize) -> Found {
    // 60 to 200 packages.
    let packages = 60 + n * 37 % 141;
    let layers: Vec<LayerId> = (0..4)
        .map(|l| LayerId { diff_id: digest("layer", n % 50 + l), blob: digest("blob", n % 50 + l) })
        .collect();
    let python = PYTHON.split_whitespace().map(|name| (PackageKind::Python, name));
    let go = GO.split_whitespace().map(|name| (PackageKind::Go, name));
    let all: Vec<_> = python.chain(go).collect();
    let mut packages: Vec<Package> = (0..packages)
        .filter_map(|p| {
            let (kind, name) = *all.get((p + n) % all.len())?;
            let layer = layers.get(p % layers.len()).copied();
            Some(package(kind, name, n + p / all.len(), layer))
        })
        .collect();
    packages.sort();
    packages.dedup();
    let created = "2026-10-01T12:00:00Z".parse().ok();
    let config =
        ImageFacts { user: Some("10001".into()), runs_as_root: RunsAs::NotRoot(10_001), created };
    let inventory = Inventory { distribution: None, config, packages, gaps: Vec::new() };
    let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
    let platform = FoundPlatform {
        digest: digest("manifest", n),
        platform: Some(platform),
        gaps: Vec::new(),
        inventory,
    };
    Found { resolved: digest("image", n), platforms: vec![platform], gaps: Vec::new() }
}

fn package(kind: PackageKind, name: &str, n: usize, layer: Option<LayerId>) -> Package {
    let number = format!("9999.{}.{}", n % 30, n % 7);
    let (version, purl, evidence) = if kind == PackageKind::Go {
        let version = format!("v{number}");
        let purl = format!("pkg:golang/{name}@{version}");
        (version, purl, "usr/local/bin/app".to_owned())
    } else {
        let purl = format!("pkg:pypi/{name}@{number}");
        let evidence =
            format!("usr/local/lib/python3.13/site-packages/{name}-{number}.dist-info/METADATA");
        (number, purl, evidence)
    };
    Package {
        kind,
        name: name.to_owned(),
        version,
        source: None,
        arch: None,
        vendor: None,
        module: None,
        repository: None,
        purl,
        layer,
        evidence,
        owner: None,
        changed_from: None,
    }
}

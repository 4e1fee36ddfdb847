/** Bounds of finding and connecting to peers that users must not change, each with its reason. */

/** Peers of one DHT answer that are dialled: a false answer costs no more dials than this. */
export const DIALS_PER_LOOKUP_MAX = 20

/**
 * A provider record ends after this. Holders announce again after half of it; a holder that is gone is asked for that long, which
 * costs one dial each.
 */
export const PROVIDER_VALID_MS = 8 * 60 * 60_000

/** Each release is announced again after about this: half of how long a record holds, less a quarter for chance. */
export const ANNOUNCE_INTERVAL_MS = 3 * 60 * 60_000

/** Between two announcements. */
export const ANNOUNCE_PAUSE_MS = 250

/** Announcements one after the other; more take their time. A household has fewer apps. */
export const ANNOUNCE_BURST = 32

/** After them: 0.4 % of a core, where 15 ms of it is one walk. A thousand releases take an hour, of the eight for which a record holds. */
export const ANNOUNCE_PER_SECOND = 0.25

/** Peers of one table that hear at once of more new releases than the burst; as many as keep one record, kad-dht's K. */
export const ANNOUNCE_TOLD_MAX = 20

/** One walk of the DHT. */
export const ANNOUNCE_TIMEOUT_MS = 20_000

/** Peers of which it is known how they were found. */
export const FOUND_PEERS_MAX = 1_024

/** Peers in one answer of the peer exchange; three answers are more than a lookup dials. */
export const EXCHANGE_PEERS_MAX = 16

/** Addresses of each: of both IP versions, inside and outside. */
export const EXCHANGE_ADDRESSES_MAX = 4

/** Bytes of one address or peer id as text; longer ones are not told. */
export const EXCHANGE_TEXT_BYTES_MAX = 255

/** Peers that are asked at once who else holds a release. */
export const EXCHANGE_LINKS_MAX = 8

/** One peer is asked about one release no more often than this. */
export const EXCHANGE_INTERVAL_MS = 60_000

/** Answers that one peer gets: a node that installs some apps at once, then one in five seconds. */
export const EXCHANGE_ANSWERS_BURST = 16
export const EXCHANGE_ANSWERS_PER_SECOND = 0.2

/** Blobs of which it is remembered that one peer holds some; a node fetches fewer at once. */
export const HOLDINGS_PER_PEER_MAX = 512

/** Peers that mDNS may show: everything on a home's link at once, then one in two seconds. */
export const MDNS_PEERS_BURST = 32
export const MDNS_PEERS_PER_SECOND = 0.5

/** Provider records kept for others: with key and table about 500 bytes each, 16 MiB in all. */
export const PROVIDER_RECORDS_MAX = 32_768

/** Of one peer: 1,000 releases in two tables, and as many again. */
export const PROVIDER_RECORDS_PER_PEER_MAX = 4_096

/** Of one key: three times what a lookup takes. Bounds the answer to a question for providers. */
export const PROVIDER_RECORDS_PER_KEY_MAX = 64

/** Providers of one lookup in one table; the same as kad-dht's K. */
export const PROVIDERS_PER_TABLE_MAX = 20

/** Peers whose addresses are kept, about 1 KiB each; connected ones are never dropped. */
export const PEER_RECORDS_MAX = 4_096

/** One peer with its addresses, protocols and signed record; an honest one has about 1 KiB. */
export const PEER_RECORD_BYTES_MAX = 16 * 1024

/** Peers in the DHT's answers whose addresses are kept: some lookups at once, then a trickle. */
export const HEARD_PEERS_BURST = 400
export const HEARD_PEERS_PER_SECOND = 10

/** Private addresses that something inside the home vouched for. */
export const VOUCHED_ADDRESSES_MAX = 4_096

/** Connections that this node opens, by itself or because a peer named an address: 20 lookups at once, then a walk. */
export const DIAL_BURST = 400
export const DIALS_PER_SECOND = 8

/** The same to one subscriber of a provider, so that a hundred peer ids with one address are no attack on it. */
export const DIAL_BURST_PER_NETWORK = 64
export const DIALS_PER_SECOND_PER_NETWORK = 1

/** Networks whose dials are counted. */
export const DIAL_NETWORKS_MAX = 1_024

/** Addresses of one peer that are tried; a node has an address or two of each kind. */
export const DIAL_ADDRESSES_PER_PEER_MAX = 8

/** Handshakes under way; more, and the oldest makes room. An honest one takes a few round trips. */
export const HANDSHAKES_MAX = 128

/** The same from one network: a household that restarts all its nodes at once. */
export const HANDSHAKES_PER_NETWORK_MAX = 16

/** An honest handshake on a slow link is far below this. */
export const HANDSHAKE_TIMEOUT_MS = 5_000

/** New sockets from one address; a household behind one address restarts all its nodes at once. */
export const SOCKETS_PER_SECOND_PER_HOST = 20

/** Open connections from one network of the Internet: a tenth of all, so that one machine cannot take every place. */
export const CONNECTIONS_PER_NETWORK_MAX = 32

/** Streams of one connection: two of each of our protocols, kad-dht's, and what libp2p needs itself. */
export const STREAMS_PER_CONNECTION_MAX = 64

/** Longer than a lookup in a private network of some hundred nodes; kad-dht itself would wait 180 s. */
export const LOOKUP_TIMEOUT_MS = 5_000

/** Addresses of good peers that are kept across restarts. */
export const REMEMBERED_PEERS_MAX = 64

/** Peers that a relay keeps a place for, and streams that it joins at once; each is bounded by 128 KiB and two minutes. */
export const RELAY_RESERVATIONS_MAX = 32
export const RELAY_CONNECTIONS_MAX = 32

/** ADD_PROVIDERs to a peer that joined, written at once. */
export const OFFER_BYTES = 32 * 1024

-- For chDB (embedded)
-- An index of more than 100,000 photos gets 32, 128 in place of 16, 64

-- The engine
CREATE OR REPLACE FUNCTION distance AS (a, b) -> cosineDistance(a, b);

-- collections: which model made the vectors of which photo table
CREATE TABLE IF NOT EXISTS collections (name String, model String, fingerprint String, source String, dimension UInt32, created DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY name SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- sessions: what was asked
CREATE TABLE IF NOT EXISTS sessions (id String, collection String, fingerprint String, prompt String, page_size UInt32, countries Array(String), photographers Array(String), keywords Array(String), created DateTime64(3, 'UTC'), method String DEFAULT 'article', name String DEFAULT '', version UInt32 DEFAULT 0, deleted UInt8 DEFAULT 0, centring Float32 DEFAULT 0, owner String DEFAULT '', shared String DEFAULT '', sequence UInt64 DEFAULT version) ENGINE = MergeTree ORDER BY id SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- rounds: what was shown
CREATE TABLE IF NOT EXISTS rounds (session String, round UInt32, weight Array(Float32), photos Array(String), made DateTime64(3, 'UTC'), liked String DEFAULT '', sequence UInt64 DEFAULT toUnixTimestamp64Milli(made) * 1000000, why String DEFAULT '') ENGINE = MergeTree ORDER BY (session, round) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- labels: what was answered: thumbs
CREATE TABLE IF NOT EXISTS labels (session String, sequence UInt64, action UInt64, undoes UInt64, photo String, label Int8, round UInt32, made DateTime64(3, 'UTC'), click String DEFAULT '', author String DEFAULT '') ENGINE = MergeTree ORDER BY (session, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- session_pictures: pictures that were asked with
CREATE TABLE IF NOT EXISTS session_pictures (session String, number UInt32, name String, photo String, vector Array(Float32), thumbnail String) ENGINE = MergeTree ORDER BY (session, number) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- classifiers: saved classifiers
CREATE TABLE IF NOT EXISTS classifiers (id String, name String, collection String, model String, fingerprint String, prompt String, session String, method String, rounds UInt32, ups UInt32, downs UInt32, weight Array(Float32), created DateTime64(3, 'UTC'), version UInt32, deleted UInt8, number UInt32 DEFAULT 1, saved DateTime64(3, 'UTC') DEFAULT created, threshold Nullable(Float64), seen UInt64 DEFAULT 0, owner String DEFAULT '') ENGINE = MergeTree ORDER BY (id, version) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- checks: check samples of classifiers, and their thumbs
CREATE TABLE IF NOT EXISTS checks (classifier String, drawn UInt64, threshold Float64, place UInt32, photo String, label Int8, sequence UInt64) ENGINE = MergeTree ORDER BY (classifier, drawn, place, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- check_strata: the strata of score that check samples are drawn from
CREATE TABLE IF NOT EXISTS check_strata (classifier String, drawn UInt64, weight Array(Float32), lows Array(Float64), cuts Array(UInt64), sequence UInt64) ENGINE = MergeTree ORDER BY (classifier, drawn, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- views: classifiers published as views
CREATE TABLE IF NOT EXISTS views (classifier String, name String, threshold Float64, dropped UInt8, sequence UInt64, number UInt32 DEFAULT 1) ENGINE = MergeTree ORDER BY (classifier, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- label_tables: tables of labels published as views
CREATE TABLE IF NOT EXISTS label_tables (name String, collection String, classifiers Array(String), exclusive UInt8, dropped UInt8, sequence UInt64, numbers Array(UInt32), thresholds Array(Float64), columns Array(String)) ENGINE = MergeTree ORDER BY (name, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- failures: photos that could not be loaded, and why
CREATE TABLE IF NOT EXISTS failures (collection String, id String, url String, reason String, final UInt8, at DateTime64(3, 'UTC'), sequence UInt64 DEFAULT toUnixTimestamp64Milli(at) * 1000000) ENGINE = MergeTree ORDER BY (collection, id, at) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- photo_contents: what photos were when they were read, and where they came from
CREATE TABLE IF NOT EXISTS photo_contents (collection String, id String, source String, size UInt64, modified Int64, digest String, apart UInt8, sequence UInt64) ENGINE = MergeTree ORDER BY (collection, id, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- counts: how many photos came into collections, and went
CREATE TABLE IF NOT EXISTS counts (collection String, change Int64, made UInt64) ENGINE = MergeTree ORDER BY (collection, made) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- prompt_means: what the text vectors of a model share
CREATE TABLE IF NOT EXISTS prompt_means (model String, nouns String, mean Array(Float32), nearest Float32) ENGINE = MergeTree ORDER BY (model, nouns) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- audit_entries: what owners did, and when
CREATE TABLE IF NOT EXISTS audit_entries (at DateTime64(3, 'UTC'), who String, did String, target String) ENGINE = MergeTree ORDER BY (at, who) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- upgrades: the upgrades that the tables have had, by number
CREATE TABLE IF NOT EXISTS upgrades (number UInt32, done DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- unsplash_25k: photos, their vectors and their facts
CREATE TABLE IF NOT EXISTS `unsplash_25k` (id String, url String, vector Array(Float32) CODEC(NONE), page String, photographer String, photographer_url String, description String, width UInt32, height UInt32, country String, keywords Array(String), submitted String, added UInt64, CONSTRAINT vec_len CHECK length(vector) = 512) ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 64, min_compress_block_size = 4096;

-- The vector index of unsplash_25k, after a load that finds none
OPTIMIZE TABLE `unsplash_25k` FINAL SETTINGS optimize_skip_merged_partitions = 1;
ALTER TABLE `unsplash_25k` ADD INDEX IF NOT EXISTS vindex vector TYPE vector_similarity('hnsw', 'cosineDistance', 512, 'bf16', 16, 64);
ALTER TABLE `unsplash_25k` MATERIALIZE INDEX vindex SETTINGS mutations_sync = 0;

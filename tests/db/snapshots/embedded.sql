-- For chDB (embedded)

-- The engine
CREATE OR REPLACE FUNCTION distance AS (a, b) -> cosineDistance(a, b);

-- collections: which model made the vectors of which photo table
CREATE TABLE IF NOT EXISTS collections (name String, model String, fingerprint String, source String, dimension UInt32, created DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY name SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- sessions: what was asked
CREATE TABLE IF NOT EXISTS sessions (id String, collection String, fingerprint String, prompt String, page_size UInt32, countries Array(String), photographers Array(String), keywords Array(String), created DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS method String DEFAULT 'article';
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS name String DEFAULT '';
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS version UInt32 DEFAULT 0;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS deleted UInt8 DEFAULT 0;

-- rounds: what was shown
CREATE TABLE IF NOT EXISTS rounds (session String, round UInt32, weight Array(Float32), photos Array(String), made DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY (session, round) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
ALTER TABLE rounds ADD COLUMN IF NOT EXISTS liked String DEFAULT '';

-- labels: what was answered: thumbs
CREATE TABLE IF NOT EXISTS labels (session String, sequence UInt64, action UInt64, undoes UInt64, photo String, label Int8, round UInt32, made DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY (session, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
ALTER TABLE labels ADD COLUMN IF NOT EXISTS click String DEFAULT '';

-- classifiers: saved classifiers
CREATE TABLE IF NOT EXISTS classifiers (id String, name String, collection String, model String, fingerprint String, prompt String, session String, method String, rounds UInt32, ups UInt32, downs UInt32, weight Array(Float32), created DateTime64(3, 'UTC'), version UInt32, deleted UInt8) ENGINE = MergeTree ORDER BY (id, version) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- checks: check samples of classifiers, and their thumbs
CREATE TABLE IF NOT EXISTS checks (classifier String, drawn UInt64, threshold Float64, place UInt32, photo String, label Int8, sequence UInt64) ENGINE = MergeTree ORDER BY (classifier, drawn, place, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- views: classifiers published as views
CREATE TABLE IF NOT EXISTS views (classifier String, name String, threshold Float64, dropped UInt8, sequence UInt64) ENGINE = MergeTree ORDER BY (classifier, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- failures: photos that could not be loaded, and why
CREATE TABLE IF NOT EXISTS failures (collection String, id String, url String, reason String, final UInt8, at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY (collection, id, at) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- photo_contents: what photos were when they were read, and where they came from
CREATE TABLE IF NOT EXISTS photo_contents (collection String, id String, source String, size UInt64, modified Int64, digest String, apart UInt8, sequence UInt64) ENGINE = MergeTree ORDER BY (collection, id, sequence) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- unsplash_25k: photos, their vectors and their facts
CREATE TABLE IF NOT EXISTS `unsplash_25k` (id String, url String, vector Array(Float32) CODEC(NONE), page String, photographer String, photographer_url String, description String, width UInt32, height UInt32, country String, keywords Array(String), submitted String, CONSTRAINT vec_len CHECK length(vector) = 512) ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 64;

-- The vector index of unsplash_25k, after a load that finds none
OPTIMIZE TABLE `unsplash_25k` FINAL;
ALTER TABLE `unsplash_25k` ADD INDEX IF NOT EXISTS vindex vector TYPE vector_similarity('hnsw', 'cosineDistance', 512, 'f32', 16, 64);
ALTER TABLE `unsplash_25k` MATERIALIZE INDEX vindex;

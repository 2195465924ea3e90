/* The counterpart of Sources/ClientBenchmark with librdkafka: the same work and the same output format. */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define KEY "unit_collection_point"
#define TEMPLATE "{\"qls_unit_id\":1000000,\"unit_collection_pt_timestamp\":\"2014-12-31 23:59:58.0\"," \
                 "\"collection_point_id\":17}"
#define FIRST_DIGIT 15
#define LAST_DIGIT 21
#define BATCH 10000

static long failed;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "librdkafka-benchmark: %s: %s\n", what, why);
    exit(69);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(name, why);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int partition_count(rd_kafka_t *rk, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, handle, &metadata, 10000);
    if (error) fail("metadata", rd_kafka_err2str(error));
    int count = metadata->topics[0].partition_cnt;
    if (count == 0) fail(topic, "the topic does not exist");
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

/* The same as FlatObject.digest in Swift. */
static uint64_t flat_object_digest(const char *bytes, size_t count) {
    uint64_t digest = 0;
    size_t at = 0;
    while (at < count) {
        unsigned char byte = (unsigned char)bytes[at++];
        if (byte == '"') {
            size_t start = at;
            while (at < count && bytes[at] != '"') at++;
            digest = digest * 31 + (at - start);
            at++;
        } else if (byte >= '0' && byte <= '9') {
            uint64_t number = byte - '0';
            while (at < count && (unsigned char)(bytes[at] - '0') < 10) number = number * 10 + (uint64_t)(bytes[at++] - '0');
            digest = digest * 31 + number;
        }
    }
    return digest;
}

static void fetch(rd_kafka_t *rk, const char *topic, long wanted, int decodes, long *records, long *bytes,
                  uint64_t *digest) {
    int count = partition_count(rk, topic);
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(partitions, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, partitions);
    rd_kafka_topic_partition_list_destroy(partitions);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_message_t **messages = calloc(BATCH, sizeof *messages);
    while (*records < wanted) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 1000, messages, BATCH);
        for (ssize_t i = 0; i < got; i++) {
            rd_kafka_message_t *message = messages[i];
            if (message->err) {
                fail("fetch", rd_kafka_message_errstr(message));
            } else {
                ++*records;
                *bytes += (long)(message->key_len + message->len);
                if (decodes) *digest += flat_object_digest(message->payload, message->len);
            }
            rd_kafka_message_destroy(message);
        }
    }
    free(messages);
    rd_kafka_queue_destroy(queue);
    rd_kafka_consumer_close(rk);
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    (void)opaque;
    if (message->err) failed++;
}

static void produce(rd_kafka_t *rk, const char *topic, long wanted, long *records, long *bytes) {
    int count = partition_count(rk, topic);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    char value[] = TEMPLATE;
    for (long number = 0; number < wanted; number++) {
        long rest = 1000000 + number % 9000000;
        for (int digit = LAST_DIGIT; digit >= FIRST_DIGIT; digit--, rest /= 10) value[digit] = (char)('0' + rest % 10);
        while (rd_kafka_produce(handle, (int32_t)(number % count), RD_KAFKA_MSG_F_COPY, value, sizeof value - 1, KEY,
                                sizeof KEY - 1, NULL) != 0) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                fail("produce", rd_kafka_err2str(rd_kafka_last_error()));
            rd_kafka_poll(rk, 10);
        }
        /* Delivery reports arrive on this thread. librdkafka's documentation advises not to poll for each record. */
        if (number % 1000 == 0) rd_kafka_poll(rk, 0);
        ++*records;
        *bytes += (long)(sizeof value - 1 + sizeof KEY - 1);
    }
    while (rd_kafka_outq_len(rk) > 0) rd_kafka_poll(rk, 100);
    rd_kafka_topic_destroy(handle);
    if (failed) fail("produce", "some records were not delivered");
}

int main(int argc, char **argv) {
    const char *topic = "TFI";
    long wanted = 5000000, records = 0, bytes = 0;
    int decodes = 0;
    uint64_t digest = 0;
    char why[256];
    if (argc < 2 || (strcmp(argv[1], "fetch") != 0 && strcmp(argv[1], "produce") != 0))
        fail("usage", "librdkafka-benchmark fetch|produce [--topic T] [--records N] [--decode] [--property name=value]...");
    int produces = strcmp(argv[1], "produce") == 0;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (produces) {
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    } else {
        set(conf, "group.id", "benchmark");
        set(conf, "enable.auto.commit", "false");
        set(conf, "enable.auto.offset.store", "false");
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--decode") == 0) {
            decodes = 1;
            continue;
        }
        if (i + 1 == argc) fail(argv[i], "a value is missing");
        char *text = argv[++i];
        if (strcmp(argv[i - 1], "--topic") == 0) {
            topic = text;
        } else if (strcmp(argv[i - 1], "--records") == 0) {
            wanted = atol(text);
        } else if (strcmp(argv[i - 1], "--bootstrap-servers") == 0) {
            set(conf, "bootstrap.servers", text);
        } else if (strcmp(argv[i - 1], "--property") == 0 && strchr(text, '=')) {
            *strchr(text, '=') = 0;
            set(conf, text, text + strlen(text) + 1);
        } else {
            fail(argv[i - 1], "there is no such option");
        }
    }
    double began = now();
    rd_kafka_t *rk = rd_kafka_new(produces ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!rk) fail("rd_kafka_new", why);
    if (!produces) rd_kafka_poll_set_consumer(rk);
    if (produces)
        produce(rk, topic, wanted, &records, &bytes);
    else
        fetch(rk, topic, wanted, decodes, &records, &bytes, &digest);
    rd_kafka_destroy(rk);
    double seconds = now() - began;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"peer\":\"librdkafka\",\"mode\":\"%s\",\"records\":%ld,\"bytes\":%ld,\"digest\":\"%llu\",\"seconds\":%.3f,"
           "\"rate\":%.0f,\"cpu_user\":%.3f,\"cpu_sys\":%.3f,\"max_rss_mb\":%.1f}\n",
           produces ? "produce" : decodes ? "decode" : "count", records, bytes, (unsigned long long)digest, seconds,
           (double)records / seconds, (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6, (double)usage.ru_maxrss / 1024);
    return 0;
}

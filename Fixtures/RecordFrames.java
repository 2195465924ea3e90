import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

/**
 * Makes the Java client send its requests, so that a proxy can record them; see record-frames.sh. Rejected requests are
 * wanted too, because their frames are also recorded.
 */
public class RecordFrames {
    static String bootstrap;
    static final String TOPIC = "frames";
    static final Duration POLL = Duration.ofMillis(100);

    public static void main(String[] arguments) throws Exception {
        bootstrap = arguments[0];
        if (arguments[1].equals("login")) {
            logins();
            return;
        }
        boolean hasConsumerGroups = Boolean.parseBoolean(arguments[1]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "client.id", "recorder"))) {
            topics(admin);
            produce();
            transactions();
            for (String assignor : List.of("Range", "RoundRobin", "Sticky", "CooperativeSticky"))
                classicGroup("classic-" + assignor, assignor);
            if (hasConsumerGroups) consumerGroup("modern");
            byHand();
            groups(admin, hasConsumerGroups);
            records(admin);
            security(admin);
            printFailure(admin.deleteTopics(List.of(TOPIC, "missing")).all());
        } catch (Exception error) {
            // Printed here, because Java's launcher for single files loses some stack traces.
            error.printStackTrace();
            System.exit(1);
        }
    }

    static void printFailure(KafkaFuture<?> future) throws Exception {
        try {
            future.get();
        } catch (ExecutionException error) {
            System.err.println(error.getCause().getClass().getSimpleName() + ": " + error.getCause().getMessage());
        }
    }

    /** Logs in with each mechanism, with the right and a wrong password. */
    static void logins() throws Exception {
        String security = "org.apache.kafka.common.security.";
        for (String password : List.of("alice-secret", "wrong"))
            for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
                String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
                try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "client.id", "recorder",
                        "security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", mechanism, "sasl.jaas.config",
                        security + module + " required username=\"alice\" password=\"" + password + "\";"))) {
                    printFailure(admin.describeCluster().nodes());
                }
            }
    }

    static void topics(Admin admin) throws Exception {
        NewTopic topic = new NewTopic(TOPIC, 3, (short) 1).configs(Map.of("retention.ms", "3600000"));
        printFailure(admin.createTopics(List.of(topic)).all());
        printFailure(admin.createTopics(List.of(topic, new NewTopic("by hand", Map.of(0, List.of(1))))).all());
        printFailure(admin.createTopics(List.of(new NewTopic("checked", 2, (short) 1)),
            new CreateTopicsOptions().validateOnly(true)).all());
        printFailure(admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(4), "missing",
            NewPartitions.increaseTo(2, List.of(List.of(1))))).all());
        printFailure(admin.describeTopics(List.of(TOPIC, "missing")).allTopicNames());
        printFailure(admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
        printFailure(admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true)).nodes());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);
        printFailure(admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", null), AlterConfigOp.OpType.DELETE),
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND),
            new AlterConfigOp(new ConfigEntry("segment.ms", "600000"), AlterConfigOp.OpType.SET)))).all());
        printFailure(admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("segment.ms", "soon"), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SUBTRACT))),
            new AlterConfigsOptions().validateOnly(true)).all());
        printFailure(admin.describeConfigs(List.of(resource, new ConfigResource(ConfigResource.Type.TOPIC, "missing")),
            new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all());
        printFailure(admin.describeConfigs(List.of(resource)).all());
    }

    static Map<String, Object> producerSettings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("client.id", "recorder");
        settings.put("key.serializer", ByteArraySerializer.class);
        settings.put("value.serializer", ByteArraySerializer.class);
        return settings;
    }

    static ProducerRecord<byte[], byte[]> record(int partition, String key, String value) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(TOPIC, partition, 1_700_000_000_000L,
            key == null ? null : key.getBytes(), value == null ? null : value.getBytes());
        record.headers().add(new RecordHeader("origin", key == null ? null : key.getBytes()));
        return record;
    }

    static void produce() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            Map<String, Object> settings = producerSettings();
            settings.put("compression.type", codec);
            settings.put("linger.ms", "50");
            try (Producer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
                for (int i = 0; i < 6; i++)
                    producer.send(record(i % 2, i == 0 ? null : "key", i == 1 ? null : "value ".repeat(i)));
            }
        }
        for (String acks : List.of("0", "1")) {
            Map<String, Object> settings = producerSettings();
            settings.put("acks", acks);
            settings.put("enable.idempotence", "false");
            try (Producer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
                producer.send(record(0, "acks", acks));
            }
        }
    }

    static void transactions() throws Exception {
        Map<String, Object> settings = producerSettings();
        settings.put("transactional.id", "recorder");
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(record(0, "committed", "1"));
            producer.sendOffsetsToTransaction(
                Map.of(new TopicPartition(TOPIC, 0), new OffsetAndMetadata(3, Optional.of(0), "note")),
                new ConsumerGroupMetadata("in-transaction"));
            producer.commitTransaction();
            producer.beginTransaction();
            producer.send(record(1, "aborted", "2"));
            producer.flush();
            producer.abortTransaction();
            try (Producer<byte[], byte[]> successor = new KafkaProducer<>(settings)) {
                successor.initTransactions();
                producer.beginTransaction();
                producer.send(record(1, "fenced", "3"));
                producer.commitTransaction();
            } catch (KafkaException error) {
                System.err.println(error.getClass().getSimpleName() + ": " + error.getMessage());
            }
        }
    }

    static Consumer<byte[], byte[]> consumer(String group, Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("client.id", "recorder");
        if (group != null) settings.put("group.id", group);
        settings.put("key.deserializer", ByteArrayDeserializer.class);
        settings.put("value.deserializer", ByteArrayDeserializer.class);
        settings.put("auto.offset.reset", "earliest");
        settings.put("fetch.max.wait.ms", "50");
        settings.putAll(more);
        return new KafkaConsumer<>(settings);
    }

    /** Starts two members one after the other, which causes a rebalance. The second one is static. */
    static void share(String group, Map<String, Object> more) throws Exception {
        Map<String, Object> fixed = new HashMap<>(more);
        fixed.put("group.instance.id", group + "-fixed");
        try (Consumer<byte[], byte[]> first = consumer(group, more);
            Consumer<byte[], byte[]> second = consumer(group, fixed)) {
            first.subscribe(List.of(TOPIC));
            second.subscribe(List.of(TOPIC, "missing"));
            for (int i = 0; i < 200 && first.assignment().isEmpty(); i++) first.poll(POLL);
            first.commitSync();
            for (int i = 0; i < 200 && (second.assignment().isEmpty() || first.assignment().size() > 3); i++) {
                first.poll(POLL);
                second.poll(POLL);
            }
            second.commitSync();
        }
    }

    static void classicGroup(String group, String assignor) throws Exception {
        share(group, Map.of(
            "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor + "Assignor",
            "heartbeat.interval.ms", "200", "client.rack", "r1"));
    }

    static void consumerGroup(String group) throws Exception {
        share(group, Map.of("group.protocol", "consumer"));
        try (Consumer<byte[], byte[]> consumer = consumer(group + "-pattern", Map.of("group.protocol", "consumer"))) {
            // By reflection, because the client of 3.9 doesn't have this class.
            Class<?> pattern = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
            Consumer.class.getMethod("subscribe", pattern)
                .invoke(consumer, pattern.getConstructor(String.class).newInstance("fra.*"));
            for (int i = 0; i < 100 && consumer.assignment().isEmpty(); i++) consumer.poll(POLL);
        }
    }

    static void byHand() throws Exception {
        TopicPartition partition = new TopicPartition(TOPIC, 0);
        try (Consumer<byte[], byte[]> consumer = consumer(null, Map.of("isolation.level", "read_committed"))) {
            consumer.assign(List.of(partition, new TopicPartition(TOPIC, 1)));
            consumer.seek(partition, new OffsetAndMetadata(2, Optional.of(0), ""));
            for (int i = 0; i < 10; i++) consumer.poll(POLL);
            consumer.offsetsForTimes(Map.of(partition, 1_600_000_000_000L));
            consumer.beginningOffsets(List.of(partition));
            consumer.endOffsets(List.of(partition));
        }
    }

    static void groups(Admin admin, boolean hasConsumerGroups) throws Exception {
        List<String> names = new ArrayList<>(List.of("classic-Range", "in-transaction", "missing"));
        if (hasConsumerGroups) names.add("modern");
        printFailure(admin.listConsumerGroups().all());
        printFailure(admin.describeConsumerGroups(names,
            new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all());
        try (Consumer<byte[], byte[]> consumer = consumer("classic-Range", Map.of())) {
            consumer.subscribe(List.of(TOPIC));
            for (int i = 0; i < 200 && consumer.assignment().isEmpty(); i++) consumer.poll(POLL);
            printFailure(admin.describeConsumerGroups(List.of("classic-Range")).all());
            printFailure(admin.removeMembersFromConsumerGroup("classic-Range",
                new RemoveMembersFromConsumerGroupOptions()).all());
        }
        TopicPartition partition = new TopicPartition(TOPIC, 0);
        printFailure(admin.listConsumerGroupOffsets("classic-Range").partitionsToOffsetAndMetadata());
        printFailure(admin.listConsumerGroupOffsets("missing").partitionsToOffsetAndMetadata());
        printFailure(admin.alterConsumerGroupOffsets("classic-Range",
            Map.of(partition, new OffsetAndMetadata(1, Optional.of(0), "moved"))).all());
        printFailure(admin.deleteConsumerGroupOffsets("classic-Range", Set.of(partition)).all());
        printFailure(admin.deleteConsumerGroups(List.of("classic-Range", "missing")).all());
    }

    static void records(Admin admin) throws Exception {
        TopicPartition partition = new TopicPartition(TOPIC, 0);
        printFailure(admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp())).all());
        printFailure(admin.listOffsets(Map.of(partition, OffsetSpec.latest()),
            new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all());
        printFailure(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(2))).all());
        printFailure(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(1_000_000))).all());
    }

    static void security(Admin admin) throws Exception {
        AclBinding acl = new AclBinding(new ResourcePattern(ResourceType.TOPIC, "other", PatternType.PREFIXED),
            new AccessControlEntry("User:alice", "*", AclOperation.READ, AclPermissionType.ALLOW));
        printFailure(admin.createAcls(List.of(acl)).all());
        printFailure(admin.describeAcls(AclBindingFilter.ANY).values());
        printFailure(admin.deleteAcls(List.of(acl.toFilter())).all());
        ScramCredentialInfo info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096);
        printFailure(admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("alice", info, "not a secret".getBytes(), "salt".getBytes()),
            new UserScramCredentialDeletion("nobody", ScramMechanism.SCRAM_SHA_512))).all());
        printFailure(admin.alterUserScramCredentials(List.of(
            new UserScramCredentialUpsertion("alice", info, "not a secret".getBytes(), "salt".getBytes()))).all());
        printFailure(admin.describeUserScramCredentials(List.of("alice", "nobody")).all());
        printFailure(admin.describeUserScramCredentials().all());
    }
}

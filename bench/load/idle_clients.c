/* Clients that connect, ask once, and then say nothing.
 *
 * usage: idle_clients port path certificates.pem key.pem
 *
 * Each line on standard input is how many clients there shall be; when they are all connected and answered, that number
 * is written to standard output. Each client shows another certificate of the file; all are for the one key. The end of
 * the input ends it all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4

static struct sockaddr_in address;
static SSL_CTX *context;
static EVP_PKEY *key;
static X509 **certificates;
static int certificate_count, next, wanted;
static char request[512];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
    fprintf(stderr, "idle_clients: %s: %s\n", what, errno ? strerror(errno) : "TLS");
    exit(2);
}

static void read_certificates(const char *path) {
    int room = 0;
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    for (X509 *one; (one = PEM_read_X509(file, NULL, NULL, NULL));) {
        if (certificate_count == room) {
            room = room ? room * 2 : 1024;
            certificates = realloc(certificates, room * sizeof *certificates);
            if (!certificates) fail("memory");
        }
        certificates[certificate_count++] = one;
    }
    fclose(file);
    if (!certificate_count) fail(path);
}

static void read_key(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file || !(key = PEM_read_PrivateKey(file, NULL, NULL, NULL))) fail(path);
    fclose(file);
}

/* Connect, ask, and take the answer whole; the connection is left open. */
static void connect_one(int number) {
    char answer[4096];
    int one = 1, got, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    SSL *ssl = SSL_new(context);
    struct sockaddr_in own = {.sin_family = AF_INET}; /* each client has an address of its own: 127.1.0.1 and on */
    own.sin_addr.s_addr = htonl(0x7f010001 + number);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&own, sizeof own) || connect(descriptor, (struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!ssl || SSL_use_certificate(ssl, certificates[number % certificate_count]) != 1 ||
        SSL_use_PrivateKey(ssl, key) != 1 || SSL_set_fd(ssl, descriptor) != 1)
        fail("certificate");
    if (SSL_connect(ssl) != 1) fail("handshake");
    if (SSL_write(ssl, request, strlen(request)) <= 0) fail("write");
    for (size_t filled = 0; filled < sizeof answer - 1; filled += got) {
        char *body;
        if ((got = SSL_read(ssl, answer + filled, sizeof answer - 1 - filled)) <= 0) fail("read");
        answer[filled + got] = 0;
        if (strncmp(answer, "HTTP/1.1 200", 12)) {
            fprintf(stderr, "idle_clients: %.*s\n", (int)strcspn(answer, "\r\n"), answer);
            exit(2);
        }
        /* The body is known to be one kilobyte. */
        if ((body = strstr(answer, "\r\n\r\n")) && filled + got - (body + 4 - answer) >= 1024) return;
    }
    fail("the answer is longer than expected");
}

static void *connect_some(void *nothing) {
    for (;;) {
        int number;
        pthread_mutex_lock(&lock);
        number = next < wanted ? next++ : -1;
        pthread_mutex_unlock(&lock);
        if (number < 0) return nothing;
        connect_one(number);
    }
}

int main(int count, char **arguments) {
    if (count != 5) return fprintf(stderr, "usage: idle_clients port path certificates.pem key.pem\n"), 2;
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(arguments[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", arguments[2]);
    read_certificates(arguments[3]);
    read_key(arguments[4]);
    context = SSL_CTX_new(TLS_client_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)) fail("context");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    while (scanf("%d", &wanted) == 1) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++)
            if (pthread_create(&threads[i], NULL, connect_some, NULL)) fail("thread");
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        printf("%d\n", wanted);
        fflush(stdout);
    }
    return 0;
}

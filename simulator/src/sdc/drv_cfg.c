/*
 * drv_cfg of a simulated SDC: flags, outputs and exit status of the program at /opt/emc/scaleio/sdc/bin/drv_cfg,
 * linked dynamically like the real one. Where that asks the kernel through /dev/scini, this asks the agent that plays
 * the host's SDC through the socket /dev/disk/by-id/.scini (or $SCINI_SOCKET): containers that may see the devices
 * can see the socket too, each host of a shared machine has its own, and no client lists a name that does not start
 * with emc-vol. The ioctls of /dev/scini are not played.
 *
 * One line is sent; the answer is a line "ok" or "error" and then the text for stdout or stderr.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char usage_text[] =
    "Usage: drv_cfg <command> [options]\n"
    "  --query_guid                                                 Show the GUID of this SDC\n"
    "  --query_vols                                                 Show the volumes mapped to this SDC\n"
    "  --query_mdms                                                 Show the MDM clusters of this SDC\n"
    "  --rescan                                                     Read the volume list again\n"
    "  --add_mdm --ip <IP,...> [--file <FILE>]                      Add an MDM cluster\n"
    "  --mod_mdm_ip --ip <IP> --new_mdm_ip <IP,...> [--file <FILE>] Change the addresses of an MDM cluster\n"
    "  --remove_mdm --ip <IP> [--file <FILE>]                       Remove an MDM cluster\n";

enum command { NONE, QUERY_GUID, QUERY_VOLS, QUERY_MDMS, RESCAN, ADD_MDM, MOD_MDM_IP, REMOVE_MDM };

static struct {
    enum command command;
    const char *ip, *new_ip, *file;
} asked;

static int usage(void) {
    fputs(usage_text, stderr);
    return 1;
}

/* Takes any unique beginning of a flag, as clients rely on for --query_mdm. */
static int parse(int count, char **values) {
    static const struct option options[] = {
        { "query_guid", no_argument, NULL, QUERY_GUID }, { "query_vols", no_argument, NULL, QUERY_VOLS },
        { "query_mdms", no_argument, NULL, QUERY_MDMS }, { "rescan", no_argument, NULL, RESCAN },
        { "add_mdm", no_argument, NULL, ADD_MDM },       { "mod_mdm_ip", no_argument, NULL, MOD_MDM_IP },
        { "remove_mdm", no_argument, NULL, REMOVE_MDM }, { "ip", required_argument, NULL, 'i' },
        { "new_mdm_ip", required_argument, NULL, 'n' },  { "file", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 },
    };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        switch (option) {
        case 'i': asked.ip = optarg; break;
        case 'n': asked.new_ip = optarg; break;
        case 'f': asked.file = optarg; break;
        case '?': return -1;
        default:
            if (asked.command != NONE) return -1;
            asked.command = (enum command)option;
        }
    }
    if (optind < count || asked.command == NONE) return -1;
    if (asked.command >= ADD_MDM && asked.ip == NULL) return -1;
    return asked.command == MOD_MDM_IP && asked.new_ip == NULL ? -1 : 0;
}

static FILE *connect_agent(void) {
    const char *path = getenv("SCINI_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (path == NULL) path = "/dev/disk/by-id/.scini";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path) return NULL;
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return NULL;
    }
    return fdopen(fd, "r+");
}

/* The exit status; the text goes to `out`, or to stderr when the agent refuses. */
static int ask(const char *line, FILE *out) {
    char answer[4096];
    FILE *agent = connect_agent();
    if (agent == NULL) {
        fprintf(stderr, "Failed to open the SDC driver: %s. Verify that the scini module is loaded.\n", strerror(errno));
        return 1;
    }
    fprintf(agent, "%s\n", line);
    fflush(agent);
    if (fgets(answer, sizeof answer, agent) == NULL) {
        fputs("The SDC driver did not answer.\n", stderr);
        fclose(agent);
        return 1;
    }
    int refused = strcmp(answer, "ok\n") != 0;
    while (fgets(answer, sizeof answer, agent) != NULL) fputs(answer, refused ? stderr : out);
    fclose(agent);
    return refused;
}

/* Replaces the file in one step, so that a host that starts meanwhile reads the old or the new one. */
static int save(const char *file) {
    char draft[4096];
    snprintf(draft, sizeof draft, "%s.new", file);
    FILE *out = fopen(draft, "w");
    if (out == NULL) {
        fprintf(stderr, "Failed to write %s: %s\n", draft, strerror(errno));
        return 1;
    }
    int failed = ask("config", out);
    if (fclose(out) != 0 || failed || rename(draft, file) != 0) {
        fprintf(stderr, "Failed to write %s: %s\n", file, strerror(errno));
        unlink(draft);
        return 1;
    }
    return 0;
}

int main(int count, char **values) {
    static const char *const words[] = { "",       "query_guid", "query_vols", "query_mdms",
                                         "rescan", "add_mdm",    "mod_mdm_ip", "remove_mdm" };
    char line[4096];
    if (parse(count, values) < 0) return usage();
    snprintf(line, sizeof line, "%s %s %s", words[asked.command], asked.ip ? asked.ip : "",
             asked.command == MOD_MDM_IP ? asked.new_ip : "");
    int status = ask(line, stdout);
    if (status == 0 && asked.file != NULL && asked.command >= ADD_MDM) status = save(asked.file);
    return status;
}

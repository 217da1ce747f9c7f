"""nginx as a TLS reverse proxy: no tunnel, one hop; the floor of what any second hop can cost."""

from pathlib import Path

from bench.needs import output_of
from bench.processes import Process
from bench.systems.base import WITH_CERTIFICATE, WITHOUT_CERTIFICATE, Edge, System
from bench.workbench import Workbench, nginx_user

_CONFIGURATION = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log error;
user {user}; worker_processes 1; worker_rlimit_nofile 16000;
events {{ worker_connections 15000; }}
http {{
  log_format line escape=json '{{"time":"$time_iso8601","request_id":"$request_id","method":"$request_method",'
    '"path":"$uri","status":$status,"seconds":$request_time,"in":$request_length,"out":$bytes_sent,"client":"$remote_addr"}}';
  access_log {folder}/access.log line buffer=64k flush=1s;
  keepalive_timeout 300; keepalive_requests 1000000000; tcp_nodelay on; server_tokens off;
  client_max_body_size 1g; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  ssl_certificate {server.certificate}; ssl_certificate_key {server.key}; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_client_certificate {authority}; ssl_verify_client optional;
  {session}
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; proxy_max_temp_file_size 0;
  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
  proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Request-Id $request_id;
  proxy_set_header X-Forwarded-Client-Cert $client_identity;
  map $ssl_client_verify $client_identity {{ SUCCESS 'Hash=$ssl_client_fingerprint;Subject="$ssl_client_s_dn"'; }}
  add_header X-Request-Id $request_id;
  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    location {with_certificate}/ {{
      if ($ssl_client_verify != SUCCESS) {{ return 403; }}
      proxy_pass http://origin/;
    }}
    location {without_certificate}/ {{ proxy_pass http://origin/; }}
    location / {{ return 404; }}
  }}
}}
"""


class Nginx(System):
    """One worker process."""

    name = "nginx"
    title = "nginx, TLS proxy"

    def start(self, edge: Edge) -> None:
        """Start it."""
        folder = self.new_folder("edge")
        self.port = self.bench.ports.take()
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=folder,
                user=nginx_user(),
                server=self.bench.certificates.server(edge.server_key),
                authority=self.bench.certificates.authority,
                session="" if edge.tickets else "ssl_session_tickets off; ssl_conf_command NumTickets 0;",
                origin=edge.origin.port,
                port=self.port,
                with_certificate=WITH_CERTIFICATE,
                without_certificate=WITHOUT_CERTIFICATE,
            )
        )
        arguments: list[str | Path] = [
            self.bench.tools.nginx,
            "-p",
            folder,
            "-e",
            folder / "error.log",
            "-c",
            configuration,
        ]
        self.book("edge", Process(self.title, arguments, folder / "output.log"))

    @classmethod
    def version(cls, bench: Workbench) -> str:
        """Such as nginx 1.22.1."""
        return output_of([bench.tools.nginx, "-v"]).strip().rpartition(": ")[2].replace("/", " ")

# shellcheck shell=sh disable=SC2086,SC2154 # sourced; $K is words
# Services with their addresses, node ports and networks.
says '^service/addressed created$' $K create service clusterip addressed --tcp=80:8000
ADDRESS=$($K get service addressed -o 'jsonpath={.spec.clusterIP}')
says "^addressed +ClusterIP +10\.96\.[0-9.]+ +<none> +80/TCP" $K get service addressed
says "^$ADDRESS +services/$NS/addressed" $K get ipaddresses "$ADDRESS"
says "IP: +$ADDRESS" $K describe service addressed
says 'IP Family Policy: +SingleStack' $K describe service addressed
fails 'provided IP is already allocated' $K create service clusterip taken --tcp=80 --clusterip="$ADDRESS"
fails 'the provided network does not match the current range' $K create service clusterip far --tcp=80 --clusterip=192.0.2.1
says '^service/headless created$' $K create service clusterip headless --clusterip=None
says '^headless +ClusterIP +None' $K get service headless
says '^service/ported created$' $K create service nodeport ported --tcp=80:8000
says '^ported +NodePort +10\.96\.[0-9.]+ +<none> +80:3[0-2][0-9]{3}/TCP' $K get service ported
PORT=$($K get service ported -o 'jsonpath={.spec.ports[0].nodePort}')
says "NodePort: +80-8000 +$PORT/TCP" $K describe service ported
fails 'provided port is already allocated' $K create service nodeport ported2 --tcp=80 --node-port="$PORT"
fails 'The range of valid ports is 30000-32767' $K create service nodeport ported2 --tcp=80 --node-port=80
says '^service/ported patched$' $K patch service ported -p '{"spec":{"type":"ClusterIP"}}'
says '^ported +ClusterIP +10\.96\.[0-9.]+ +<none> +80/TCP' $K get service ported
says '^service/ported2 created$' $K create service nodeport ported2 --tcp=80 --node-port="$PORT"
says '^service/wide created$' $K create service loadbalancer wide --tcp=80
says '^wide +LoadBalancer +10\.96\.[0-9.]+ +<pending> +80:3[0-2][0-9]{3}/TCP' $K get service wide
says '^service/addressed patched$' $K patch service addressed -p '{"spec":{"type":"ExternalName","externalName":"example.com"}}'
fails "ipaddresses.networking.k8s.io \"$ADDRESS\" not found" $K get ipaddresses "$ADDRESS"
says 'clusterIP: 10\.96\.' $K create service clusterip never --tcp=80 --dry-run=server -o yaml
says '^kubernetes +10\.96\.0\.0/16' $K get servicecidrs
says '^service/kubernetes +ClusterIP +10\.96\.0\.1 +<none> +443/TCP' $K get service,endpoints kubernetes -n default
says 'Endpoints:' $K describe service kubernetes -n default

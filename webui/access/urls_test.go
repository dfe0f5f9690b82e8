package access

import (
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct {
		at    string
		on    *network
		names []string
		want  []string
	}{
		{":80", appliance(), nil, []string{"http://192.168.1.5/", "http://[2001:db8:1::5]/"}},
		{":51821", appliance(), []string{"home.example"}, []string{"http://192.168.1.5:51821/", "http://home.example:51821/", "http://[2001:db8:1::5]:51821/"}},
		{":80", router(), nil, []string{"http://192.168.77.1/", "http://192.168.88.1/", "http://[fd77::1]/", "http://[2001:db8:77::1]/"}},
		{"lan:80", router(), nil, []string{"http://192.168.77.1/", "http://[fd77::1]/", "http://[2001:db8:77::1]/"}},
		{"0.0.0.0:80", router(), nil, []string{"http://192.168.77.1/", "http://192.168.88.1/"}},
		{"192.168.77.1:80", router(), nil, []string{"http://192.168.77.1/"}},
		{"[fd77::1]:81", router(), nil, []string{"http://[fd77::1]:81/"}},
		{"vpn:80", router(), nil, []string{"http://10.8.0.1/"}},
		{"127.0.0.1:81", router(), nil, []string{"http://localhost:81/"}},
	} {
		d := New(Config{Place: place(t, c.at), Names: c.names, Kernel: c.on.kernel()})
		if got := d.URLs(); !slices.Equal(got, c.want) {
			t.Errorf("--web %s: URLs() = %q, want %q", c.at, got, c.want)
		}
	}
}

func TestTheHomeComesBeforeTheContainers(t *testing.T) {
	n := appliance()
	n.links = append(n.links, netinfo.Link{Name: "docker0"})
	n.nets["docker0"] = prefixes("172.17.0.1/16")
	n.links[1], n.links[2] = n.links[2], n.links[1]
	want := []string{"http://192.168.1.5/", "http://172.17.0.1/", "http://[2001:db8:1::5]/"}
	if got := New(Config{Place: place(t, ":80"), Kernel: n.kernel()}).URLs(); !slices.Equal(got, want) {
		t.Errorf("URLs() = %q, want %q", got, want)
	}
}

func TestEveryURLIsOneOfOurNames(t *testing.T) {
	d := New(Config{Place: place(t, ":51821"), Names: []string{"home.example"}, Kernel: router().kernel()})
	for _, url := range d.URLs() {
		host := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")
		name, addr, ok := parseHost(host)
		if !ok || !d.names.has(name) && !d.hasAddr(addr) {
			t.Errorf("%s would be refused", url)
		}
	}
}

func TestAPortThatTheSystemChose(t *testing.T) {
	d := New(Config{Place: place(t, "127.0.0.1:0")})
	l, err := d.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	if got, want := d.URLs(), "http://localhost:"+port+"/"; len(got) != 1 || got[0] != want {
		t.Errorf("URLs() = %q, want %q", got, want)
	}
}

func TestWarning(t *testing.T) {
	still := router()
	still.forwards4, still.forwards6 = false, false
	for _, c := range []struct {
		at   string
		on   *network
		want string
	}{
		{":51821", router(), "--web wan:51821"},
		{"0.0.0.0:80", router(), "--web wan:80"},
		{"lan:80", router(), ""},
		{"192.168.77.1:80", router(), ""},
		{":80", still, ""},
		{":80", appliance(), ""},
	} {
		got := New(Config{Place: place(t, c.at), Kernel: c.on.kernel()}).Warning()
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("--web %s: Warning() = %q, want %q in it", c.at, got, c.want)
		}
	}
}

// Leads a VM through its life with Debian's golang-github-hmrc-vmware-govcd-dev.
//
// Usage: govcd_life BASE_URL. Prints what it saw as JSON, and leaves with 1 and the step's name when a step fails.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	govcd "github.com/hmrc/vmware-govcd"
	types "github.com/hmrc/vmware-govcd/types/v56"
)

const (
	waitLimit = 60 * time.Second
	waitStep  = 20 * time.Millisecond
)

func must(step string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, step+":", err)
		os.Exit(1)
	}
}

// done waits for a task; the library's own waiting looks every three seconds only.
func done(step string) func(govcd.Task, error) {
	return func(task govcd.Task, err error) {
		must(step, err)
		for end := time.Now().Add(waitLimit); time.Now().Before(end); time.Sleep(waitStep) {
			must(step, task.Refresh())
			switch task.Task.Status {
			case "success":
				return
			case "error", "canceled", "aborted":
				must(step, fmt.Errorf("the task ended with %s", task.Task.Status))
			}
		}
		must(step, fmt.Errorf("the task is still %s", task.Task.Status))
	}
}

func find(vdc govcd.Vdc, name string) govcd.VApp {
	must("refresh the VDC", vdc.Refresh())
	vapp, err := vdc.FindVAppByName(name)
	must("find the vApp", err)
	must("refresh the vApp", vapp.Refresh())
	return vapp
}

func main() {
	story := map[string]interface{}{}
	address, err := url.Parse(os.Args[1] + "/api")
	must("read the address", err)
	client := govcd.NewVCDClient(*address, false)
	org, vdc, err := client.Authenticate("acme-admin", "secret", "acme", "acme-vdc")
	must("log in", err)

	records, err := client.Query(map[string]string{"type": "vm", "pageSize": "128", "filter": "isVAppTemplate==false"})
	must("list", err)
	story["vms"] = len(records.Results.VMRecord)
	catalog, err := org.FindCatalog("templates")
	must("find the catalog", err)
	item, err := catalog.FindCatalogItem("debian-12")
	must("find the template", err)
	template, err := item.GetVAppTemplate()
	must("read the template", err)
	network, err := vdc.FindVDCNetwork("acme-net")
	must("find the network", err)

	must("instantiate", vdc.InstantiateVAppTemplate(&types.InstantiateVAppTemplateParams{
		Ovf:              "http://schemas.dmtf.org/ovf/envelope/1",
		Xmlns:            "http://www.vmware.com/vcloud/v1.5",
		Name:             "govcd-whole",
		Source:           &types.Reference{HREF: template.VAppTemplate.HREF},
		AllEULAsAccepted: true,
	}))
	whole := find(vdc, "govcd-whole")
	story["instantiated"] = len(whole.VApp.Children.VM)
	done("delete the instance")(whole.Delete())

	made := govcd.NewVApp(&client.Client)
	done("compose")(made.ComposeVApp(network, template, "govcd", "made by govcd"))
	vapp := find(vdc, "govcd")
	done("rename the VM")(vapp.ChangeVMName("govcd-1"))
	done("cpu")(vapp.ChangeCPUcount(2))
	done("memory")(vapp.ChangeMemorySize(2048))
	done("network")(vapp.ChangeNetworkConfig("acme-net", "allocated"))
	done("customization")(vapp.RunCustomizationScript("govcd-1", "echo hello"))
	done("metadata")(vapp.AddMetadata("note", "kept"))
	done("no metadata")(vapp.DeleteMetadata("note"))
	vapp = find(vdc, "govcd")
	vm, err := client.FindVMByHREF(vapp.VApp.Children.VM[0].HREF)
	must("read the VM", err)
	for _, item := range vm.VM.VirtualHardwareSection.Item {
		switch item.ResourceType {
		case 3:
			story["cpu"] = item.VirtualQuantity
		case 4:
			story["memory"] = item.VirtualQuantity
		}
	}
	story["name"] = vm.VM.Name
	story["address"] = strings.HasPrefix(vm.VM.NetworkConnectionSection.NetworkConnection.IPAddress, "203.0.113.")
	story["power"] = live(vdc)
	must("log out", client.Disconnect())
	text, err := json.Marshal(story)
	must("tell", err)
	fmt.Println(string(text))
}

// live goes through the power actions and deletes the vApp; it returns the states on the way.
func live(vdc govcd.Vdc) []string {
	var seen []string
	vapp := find(vdc, "govcd")
	look := func() {
		status, err := vapp.GetStatus()
		must("status", err)
		seen = append(seen, status)
	}
	done("power on")(vapp.PowerOn())
	look()
	done("reboot")(vapp.Reboot())
	done("reset")(vapp.Reset())
	done("suspend")(vapp.Suspend())
	look()
	done("resume")(vapp.PowerOn())
	done("shut down")(vapp.Shutdown())
	look()
	done("undeploy")(vapp.Undeploy())
	done("deploy")(vapp.Deploy())
	look()
	done("power on")(vapp.PowerOn())
	done("power off")(vapp.PowerOff())
	done("undeploy")(vapp.Undeploy())
	look()
	done("delete")(vapp.Delete())
	return seen
}
